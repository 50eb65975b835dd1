package cli

import (
	"fmt"
	"math"

	"github.com/aquatope/aquatope/internal/report"
	"github.com/aquatope/aquatope/server/api"
)

// bandsReport shows the bands of a function's windows and what came.
func bandsReport(f api.FunctionForecast) *report.Report {
	out := report.New("Forecast of " + f.Function)
	table := bandsTable(f)
	out.Text(table.Title+", times in UTC.", table.Note)
	band := report.Series{Name: "expected: median, band of nominally 90 %", Mark: report.Step, Strong: true}
	in, beyond := report.Series{Name: "came, in the band", Mark: report.Points}, report.Series{Name: "came, outside the band", Mark: report.Points}
	var origin float64
	minutes := func(b api.ForecastBand) float64 { return float64(b.Begin.Unix())/60 - origin }
	if len(f.Ahead) > 0 {
		origin = float64(f.Ahead[0].Begin.Unix()) / 60
	} else if n := len(f.Past); n > 0 {
		origin = float64(f.Past[n-1].Begin.Unix()) / 60
	}
	add := func(b api.ForecastBand) {
		band.X, band.Y = append(band.X, minutes(b)), append(band.Y, b.Median)
		band.Lower, band.Upper = append(band.Lower, b.Low), append(band.Upper, b.High)
	}
	for _, p := range f.Past {
		add(p.ForecastBand)
		to, came := &in, float64(p.Came)
		if came < p.Low || came > p.High {
			to = &beyond
		}
		to.X, to.Y = append(to.X, minutes(p.ForecastBand)), append(to.Y, came)
	}
	for _, a := range f.Ahead {
		add(a)
	}
	c := report.Chart{
		Title:   "Invocations of every window",
		Caption: "Each band was forecast before its window began; from 0 on they lie ahead.",
		X:       report.Axis{Label: "from now", Unit: "min", Floating: true}, Y: report.Axis{Label: "invocations"},
	}
	for _, s := range []report.Series{band, in, beyond} {
		if len(s.X) > 0 {
			c.Series = append(c.Series, s)
		}
	}
	out.Chart(c)
	if f.Pool != nil && f.Pool.Forecast != nil {
		x := f.Pool.Forecast
		out.Section("What it is worth").Text(fmt.Sprintf("Trust: %s. Of the recent invocations, with those of long ago counting for less, this is what would have met an instance that had to start, and how long instances would have been idle.", x.Trust))
		out.Table(report.Table{
			Header: []string{"instances kept", "cold starts", "idle s"},
			Rows: [][]any{
				{"as forecasts say", round1(x.Account.ColdStarts), round1(x.Account.Idle.Seconds())},
				{"for a fixed time", round1(x.Account.KeepAliveColdStarts), round1(x.Account.KeepAliveIdle.Seconds())},
			},
		})
	}
	rows := report.Table{Header: table.Columns[:len(table.Columns)-1]}
	for _, r := range table.Rows {
		rows.Rows = append(rows.Rows, r[:len(r)-1])
	}
	return out.Section("Windows").Table(rows)
}

func round1(x float64) float64 { return math.Round(10*x) / 10 }
