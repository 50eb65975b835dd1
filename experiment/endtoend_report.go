package experiment

import (
	"fmt"
	"slices"

	"github.com/aquatope/aquatope/internal/report"
)

// Report returns the experiment as a page in the shape of the paper's figures:
// violations and cost of every system, by workflow, then all figures.
func (ex *EndToEndExperiment) Report() *report.Report {
	workflows, systems, of := ex.tallies()
	r := report.New("Whole systems: violations and cost").
		Text("Every system runs the same workflows under the same arrivals; only the second half of the period counts. A violation is a run that fails or takes longer than the latency promised; the promise is kept while their share stays within the error budget.")
	for _, s := range ex.Summaries() {
		r.Text(s.Text)
	}
	violations := report.Bars{
		Title: "QoS violations", Caption: "Share of runs over the latency promised. Lower is better; the error budget is 5 % where p95 is promised.",
		Y: report.Axis{Label: "violations", Unit: "% of runs"}, Groups: workflows,
	}
	cost := report.Bars{
		Title: "Cost", Caption: "Cost of the judged part, idle instances and trials included, relative to the most expensive system of each workflow. Read it together with the violations: cheap and broken is easy.",
		Y: report.Axis{Label: "cost", Unit: "% of the most expensive"}, Groups: workflows,
	}
	over := report.Bars{
		Title: "Cost over the oracle", Caption: "The oracle knows profile and future; it is the cheapest that was found to keep the promise. Without trials, which it needs none of.",
		Y: report.Axis{Label: "cost over the oracle's", Log: true}, Groups: workflows,
	}
	for _, s := range systems {
		v := report.BarSeries{Name: s, Strong: s == ownSystem}
		c, o := v, v
		for _, w := range workflows {
			t := of[[2]string{w, s}]
			worst := 0.0
			for _, other := range systems {
				worst = max(worst, of[[2]string{w, other}].cost)
			}
			v.Values = append(v.Values, 100*t.rate())
			c.Values = append(c.Values, 100*t.cost/max(worst, 1e-300))
			if best := of[[2]string{w, oracleSystem}].cost; best > 0 {
				o.Values = append(o.Values, (t.cost-t.trials)/best)
			}
		}
		violations.Series, cost.Series = append(violations.Series, v), append(cost.Series, c)
		if s != oracleSystem && len(o.Values) == len(workflows) {
			over.Series = append(over.Series, o)
		}
	}
	r.Section("Figures").Bars(violations).Bars(cost)
	if slices.Contains(systems, oracleSystem) && len(over.Series) > 0 {
		r.Bars(over)
	}
	if c := ex.tradeOff(); len(c.Series) > 0 {
		r.Chart(c)
	}
	table := report.Table{Header: []string{
		"workflow", "system", "seed", "runs", "violations (%)", "kept", "p50 (ms)", "p95 (ms)", "p99 (ms)", "promised (ms)",
		"busy", "idle", "trials", "total", "cold starts", "decision", "configuration",
	}}
	for _, x := range ex.Results {
		table.Rows = append(table.Rows, []any{
			x.Workflow, x.System, x.Seed, x.Runs, 100 * x.ViolationRate, x.QoSMet, x.P50Millis, x.P95Millis, x.P99Millis, x.QoSMillis,
			x.BusyCost, x.IdleCost, x.TrialCost, x.TotalCost, x.ColdStarts, x.Decision, x.Configuration,
		})
	}
	series := report.Table{Header: []string{"workflow", "seed", "series", "runs a minute", "training minutes", "judged minutes"}}
	for _, x := range ex.Series {
		series.Rows = append(series.Rows, []any{
			x.Workflow, x.Seed, x.Function, x.RunsPerMinute,
			fmt.Sprintf("%d to %d", x.Training.From, x.Training.To-1), fmt.Sprintf("%d to %d", x.Judged.From, x.Judged.To-1),
		})
	}
	return r.Section("All figures").Table(table).Section("Arrivals").Table(series).Section("Conditions").Text(ex.Notes...)
}

// tradeOff shows what fewer violations were expected to cost.
func (ex *EndToEndExperiment) tradeOff() report.Chart {
	c := report.Chart{
		Title:   "What fewer violations cost",
		Caption: "What the project's system expected of the plans it chose from, in the training part; the first seed of each workflow. Cost relative to the cheapest plan.",
		X:       report.Axis{Label: "expected violations", Unit: "% of runs"}, Y: report.Axis{Label: "cost of a run over the cheapest plan's", Log: true},
	}
	seen := map[string]bool{}
	for _, r := range ex.Results {
		if r.System != ownSystem || seen[r.Workflow] || len(r.Expected) == 0 || !(r.Expected[0].CostPerRun > 0) {
			continue
		}
		seen[r.Workflow] = true
		s := report.Series{Name: r.Workflow, Mark: report.LinePoints}
		for _, x := range r.Expected {
			s.X, s.Y = append(s.X, 100*x.ViolationRate), append(s.Y, x.CostPerRun/r.Expected[0].CostPerRun)
		}
		c.Series = append(c.Series, s)
	}
	return c
}
