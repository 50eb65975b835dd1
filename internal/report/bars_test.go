package report_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/aquatope/aquatope/internal/report"
)

func TestBars(t *testing.T) {
	t.Parallel()
	b := report.Bars{
		Title: "Cost", Caption: "lower is better", Y: report.Axis{Label: "cost", Unit: "%"}, Groups: []string{"chain", "fan-out"},
		Series: []report.BarSeries{{Name: "peer", Values: []float64{100, math.NaN()}}, {Name: "own", Values: []float64{40, 3}, Strong: true}},
	}
	var page bytes.Buffer
	if _, err := report.New("Bars").Bars(b).WriteTo(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"chain", "fan-out", "peer", "own", "cost (%)", "1 of 4 bars"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	b.Y.Log = true
	b.Series[1].Values[1] = 0 // nowhere on a logarithmic axis
	page.Reset()
	if _, err := report.New("Bars").Bars(b).WriteTo(&page); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.String(), "2 of 4 bars") {
		t.Error("a bar that cannot be placed is not counted")
	}
	for name, bad := range map[string]report.Bars{
		"no label":        {Groups: b.Groups, Series: b.Series},
		"no groups":       {Y: b.Y, Series: b.Series},
		"too few values":  {Y: b.Y, Groups: []string{"a", "b", "c"}, Series: b.Series},
		"nothing to show": {Y: b.Y, Groups: b.Groups},
	} {
		if _, err := report.New("Bars").Bars(bad).WriteTo(&page); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
