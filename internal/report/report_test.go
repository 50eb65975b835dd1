package report_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aquatope/aquatope/internal/report"
)

func example() *report.Report {
	return report.New("A <test> & more").
		Section("First").
		Text("Some prose with <b>no</b> markup.").
		Preformatted("aquatope experiment pool --trace DIR").
		Table(report.Table{
			Caption: "Results",
			Header:  []string{"policy", "cold starts", "seconds"},
			Rows: [][]any{
				{"keepalive", 1234567, 0.123456},
				{"hist", int64(12), math.NaN()},
				{"slow", nil, 3 * time.Second},
			},
		}).
		Chart(report.Chart{
			Title: "Trade-off", Caption: "Lower is better.",
			X: report.Axis{Label: "idle memory", Unit: "GB-s"},
			Y: report.Axis{Label: "cold starts", Log: true},
			Series: []report.Series{
				{Name: "a & b", X: []float64{1, 2, 3, 4}, Y: []float64{100, 10, 0, 5}, Mark: report.LinePoints, Strong: true},
				{Name: "band", X: []float64{1, 2, 3}, Y: []float64{50, 40, 30}, Lower: []float64{20, 20, 20}, Upper: []float64{60, 50, 40}},
				{Name: "dots", X: []float64{1, 2}, Y: []float64{7, math.NaN()}, Mark: report.Points},
				{Name: "steps", X: []float64{1, 2}, Y: []float64{7, 8}, Mark: report.Step, Dashed: true},
			},
		})
}

func render(t *testing.T, r *report.Report) string {
	t.Helper()
	var buf bytes.Buffer
	n, err := r.WriteTo(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if n != int64(buf.Len()) {
		t.Errorf("WriteTo returned %d, wrote %d bytes", n, buf.Len())
	}
	return buf.String()
}

func TestReportIsDeterministicAndSelfContained(t *testing.T) {
	a, b := render(t, example()), render(t, example())
	if a != b {
		t.Error("two renderings differ")
	}
	for _, m := range regexp.MustCompile(`(?i)(src|href)\s*=\s*"[^"]*"|url\([^)]*\)|@import|<script`).FindAllString(a, -1) {
		t.Errorf("refers to something outside: %s", m)
	}
}

func TestReportEscapesAndFormats(t *testing.T) {
	out := render(t, example())
	for _, want := range []string{
		"A &lt;test&gt; &amp; more", "&lt;b&gt;no&lt;/b&gt;", "a &amp; b",
		`<td class="n">1` + "\u2009234\u2009" + `567</td>`, `<td class="n">0.1235</td>`, `<td class="n">–</td>`, `<td class="n">3s</td>`,
		`<th>policy</th>`, `<th class="n">cold starts</th>`,
		"idle memory (GB-s)", "cold starts (log scale)", "currentColor",
		"a &amp; b: 1 of 4 points cannot be placed", "dots: 1 of 2 points",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("report lacks %q", want)
		}
	}
	if strings.Contains(out, "NaN") {
		t.Error("report shows NaN")
	}
}

func TestChartIsWellFormedXML(t *testing.T) {
	out := render(t, example())
	svg := out[strings.Index(out, "<svg"):]
	svg = svg[:strings.Index(svg, "</svg>")+len("</svg>")]
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestBadContentIsAnError(t *testing.T) {
	axis := report.Axis{Label: "x"}
	for name, r := range map[string]*report.Report{
		"row length":   report.New("r").Table(report.Table{Header: []string{"a"}, Rows: [][]any{{1, 2}}}),
		"series":       report.New("r").Chart(report.Chart{X: axis, Y: axis, Series: []report.Series{{X: []float64{1}}}}),
		"band":         report.New("r").Chart(report.Chart{X: axis, Y: axis, Series: []report.Series{{X: []float64{1}, Y: []float64{1}, Lower: []float64{1}}}}),
		"missing axis": report.New("r").Chart(report.Chart{X: axis}),
	} {
		var buf bytes.Buffer
		if _, err := r.WriteTo(&buf); err == nil || buf.Len() > 0 {
			t.Errorf("%s: got %v and %d bytes, want an error and none", name, err, buf.Len())
		}
	}
}

func TestEmptyAndDegenerateChartsAreDrawn(t *testing.T) {
	axis := report.Axis{Label: "x"}
	for _, s := range [][]report.Series{
		nil,
		{{Name: "nothing", X: []float64{math.Inf(1)}, Y: []float64{1}}},
		{{Name: "one", X: []float64{3}, Y: []float64{3}}},
		{{Name: "zero", X: []float64{0, 0}, Y: []float64{0, 0}}},
	} {
		for _, log := range []bool{false, true} {
			y := axis
			y.Log = log
			render(t, report.New("r").Chart(report.Chart{Title: "c", X: axis, Y: y, Series: s}))
		}
	}
}

func TestNumber(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", 1: "1", 0.5: "0.5", 12.3456: "12.35", 999.96: "1000", 1234.5: "1234", 12345: "12\u2009345",
		-45678: "−45\u2009678", 0.00012344: "0.0001234", 1e-7: "1e-07", 1e12: "1e+12",
	} {
		if got := report.Number(x); got != want {
			t.Errorf("Number(%v) = %q, want %q", x, got, want)
		}
	}
	if got := report.Number(math.NaN()); got != "–" {
		t.Errorf("Number(NaN) = %q", got)
	}
}
