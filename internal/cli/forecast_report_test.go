package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/aquatope/aquatope/server/api"
)

// The report has the bands, what came in and outside of them, and what they are worth.
func TestBandsReport(t *testing.T) {
	begin := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	f := api.FunctionForecast{Function: "resize", Window: time.Minute}
	for i, came := range []int{1, 9} {
		f.Past = append(f.Past, api.PastWindow{ForecastBand: api.ForecastBand{Begin: begin.Add(time.Duration(i) * time.Minute), High: 3, Median: 1}, Came: came})
	}
	f.Ahead = []api.ForecastBand{{Begin: begin.Add(2 * time.Minute), High: 2}}
	f.Pool = &api.Pool{Forecast: &api.Forecast{Trust: "full", Coverage: 0.91, Scored: 2, Account: api.Account{ColdStarts: 1.5, KeepAliveColdStarts: 4, Idle: time.Minute}}}
	var b strings.Builder
	if _, err := bandsReport(f).WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Forecast of resize", "band of nominally 90", "came, outside the band", "came, in the band", "as forecasts say", "1.5"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	// A server without a pool has nothing to show, which is no error.
	if _, err := bandsReport(api.FunctionForecast{Function: "x", Window: time.Minute}).WriteTo(&b); err != nil {
		t.Error(err)
	}
}
