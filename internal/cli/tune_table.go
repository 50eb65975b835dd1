package cli

import (
	"fmt"
	"math"

	"github.com/aquatope/aquatope/internal/report"
	"github.com/aquatope/aquatope/server/api"
)

// choicesTable shows what is recommended for every function.
func choicesTable(name string, r *api.Recommendation) Table {
	t := Table{
		Title:   name,
		Columns: []string{"function", "cpu from", "cpu to", "memory from", "memory to", "share of latency", "share of cost"},
		Note:    r.Reason,
	}
	for _, f := range r.Functions {
		t.Rows = append(t.Rows, []any{
			f.Function, f.From.CPU, f.To.CPU, f.From.Memory, f.To.Memory, percent(f.LatencyShare), percent(f.CostShare),
		})
	}
	return t
}

func percent(v float64) any {
	if v == 0 || math.IsNaN(v) {
		return nil
	}
	return fmt.Sprintf("%.0f %%", 100*v)
}

// predictionTable shows what is predicted of it.
func predictionTable(r *api.Recommendation) Table {
	t := Table{
		Columns: []string{"predicted", "value", "low", "high"},
		Note:    fmt.Sprintf("From %d runs. Low and high hold 90 %% of the belief. Costs are those of list %s, for a million runs, in $.", r.Runs, r.Price),
	}
	row := func(what string, v api.Interval, show func(float64) any) {
		t.Rows = append(t.Rows, []any{what, show(v.Mean), show(v.Low), show(v.High)})
	}
	asTime := func(ms float64) any { return millis(ms) }
	asCost := func(v float64) any { return fmt.Sprintf("%.4g", 1e6*v) }
	for _, q := range r.Latency {
		row(fmt.Sprintf("p%g latency", math.Round(q.Percentile*10)/10), q.Millis, asTime)
	}
	if r.Cost != nil {
		row("cost", *r.Cost, asCost)
	}
	if len(t.Rows) == 0 {
		t.Rows = append(t.Rows, []any{"nothing, by this strategy", nil, nil, nil})
	}
	if r.Current > 0 {
		t.Rows = append(t.Rows, []any{"cost as deployed", asCost(r.Current), nil, nil})
	}
	return t
}

// frontierTable shows what other promises would cost.
func frontierTable(r *api.Recommendation) Table {
	t := Table{
		Title:   "What other promises would cost",
		Columns: []string{"latency", "cost", "low", "high", "kept"},
		Note:    "A row that cannot be kept has the cost of what comes closest.",
	}
	for _, p := range r.Frontier {
		cost := func(v float64) any { return fmt.Sprintf("%.4g", 1e6*v) }
		t.Rows = append(t.Rows, []any{millis(p.LatencyMillis), cost(p.Cost.Mean), cost(p.Cost.Low), cost(p.Cost.High), p.Feasible})
	}
	return t
}

// tuneReport is the session as a page.
func tuneReport(t api.Tuning) *report.Report {
	r := t.Recommendation
	page := report.New("Tuning of " + t.Workflow).
		Text(fmt.Sprintf("Promise: %v. %d runs by strategy %s. %s.", qosText(t.QoS), t.Runs, t.Strategy, r.Reason))
	return addRecommendation(page, r)
}

func addRecommendation(page *report.Report, r *api.Recommendation) *report.Report {
	choices := report.Table{Caption: "Resources", Header: []string{"function", "cpu from", "cpu to", "memory from", "memory to", "share of latency", "share of cost"}}
	for _, f := range r.Functions {
		choices.Rows = append(choices.Rows, []any{f.Function, f.From.CPU.String(), f.To.CPU.String(), f.From.Memory.String(), f.To.Memory.String(), percent(f.LatencyShare), percent(f.CostShare)})
	}
	page.Table(choices)
	if len(r.Frontier) > 0 {
		line := report.Series{Name: "cheapest that keeps it", Mark: report.LinePoints, Strong: true}
		for _, p := range r.Frontier {
			if p.Feasible {
				line.X, line.Y = append(line.X, p.LatencyMillis), append(line.Y, 1e6*p.Cost.Mean)
				line.Lower, line.Upper = append(line.Lower, 1e6*p.Cost.Low), append(line.Upper, 1e6*p.Cost.High)
			}
		}
		runs := report.Series{Name: "measured runs", Mark: report.Points}
		for _, m := range r.Measured {
			if !m.Failed {
				runs.X, runs.Y = append(runs.X, m.LatencyMillis), append(runs.Y, 1e6*m.Cost)
			}
		}
		series := []report.Series{line}
		if len(runs.X) > 0 {
			series = append(series, runs)
		}
		if len(line.X) > 0 {
			page.Chart(report.Chart{
				Title:   "Cost and latency",
				Caption: fmt.Sprintf("Line: the cheapest configuration that keeps the promise of p%v within a latency, with the interval that holds 90 %% of the belief. Points: runs that were made, each with its own latency.", r.QoS.Percentile),
				X:       report.Axis{Label: "latency", Unit: "ms"}, Y: report.Axis{Label: "cost of a million runs", Unit: "$"},
				Series: series,
			})
		}
	}
	return page
}
