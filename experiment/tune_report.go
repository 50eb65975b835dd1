package experiment

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/aquatope/aquatope/internal/report"
	"github.com/aquatope/aquatope/stats"
)

// Interval is a mean with the interval that holds the true one with 95 %
// confidence.
type Interval struct {
	Low  float64 `json:"low"`
	Mean float64 `json:"mean"`
	High float64 `json:"high"`
}

// TuneSummary is the outcome of one strategy on one workflow after some runs.
type TuneSummary struct {
	Workflow           string
	Strategy           string
	Samples            int
	Searches           int
	CostOverOracle     Interval
	WorstCost          float64 // largest cost over oracle of any search
	Kept               float64 // share of searches that keep the promise
	WorstExcess        float64 // largest excess over the promise, as a share of it; 0 without
	Violations         float64 // mean number of runs over the target while searching
	SecondsPerDecision float64
}

// allWorkflows is the workflow of summaries over all of them.
const allWorkflows = "(all)"

// Summaries returns the results over seeds, for every workflow and for all
// workflows together if there are several.
func (ex *TuneExperiment) Summaries() []TuneSummary {
	type key struct {
		workflow, strategy string
		samples            int
	}
	groups := map[key][]TuneResult{}
	var order []key
	add := func(k key, r TuneResult) {
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], r)
	}
	workflows := ex.workflows()
	for _, r := range ex.Results {
		add(key{r.Workflow, r.Strategy, r.Samples}, r)
		if len(workflows) > 1 {
			add(key{allWorkflows, r.Strategy, r.Samples}, r)
		}
	}
	slices.SortStableFunc(order, func(a, b key) int {
		return cmp.Compare(rank(a.workflow, workflows), rank(b.workflow, workflows))
	})
	var out []TuneSummary
	for _, k := range order {
		s := summarise(groups[k])
		s.Workflow, s.Strategy, s.Samples = k.workflow, k.strategy, k.samples
		out = append(out, s)
	}
	return out
}

// rank orders workflows as they were asked for, all of them together last.
func rank(name string, workflows []string) int {
	if i := slices.Index(workflows, name); i >= 0 {
		return i
	}
	return len(workflows)
}

func (ex *TuneExperiment) workflows() []string {
	var out []string
	for _, r := range ex.Results {
		if !slices.Contains(out, r.Workflow) {
			out = append(out, r.Workflow)
		}
	}
	return out
}

func summarise(results []TuneResult) TuneSummary {
	n := float64(len(results))
	s := TuneSummary{Searches: len(results)}
	var costs []float64
	for _, r := range results {
		costs = append(costs, r.CostOverOracle)
		s.WorstCost = math.Max(s.WorstCost, r.CostOverOracle)
		s.Violations += float64(r.ViolationsDuringSearch) / n
		s.SecondsPerDecision += r.SecondsPerDecision / n
		if r.Feasible {
			s.Kept += 1 / n
		}
		excess := math.Inf(1)
		if r.TrueLatencyPercentileMillis != nil {
			excess = *r.TrueLatencyPercentileMillis/r.QoSMillis - 1
		}
		s.WorstExcess = math.Max(s.WorstExcess, excess)
	}
	mean, half := stats.MeanInterval(costs)
	s.CostOverOracle = Interval{Low: mean - half, Mean: mean, High: mean + half}
	return s
}

// Report returns the experiment as a page: a chart for each workflow of cost
// over runs with bands, and a table of everything.
func (ex *TuneExperiment) Report() *report.Report {
	summaries := ex.Summaries()
	r := report.New("Tuning: cost over the oracle").
		Text(fmt.Sprintf("Every strategy searched every workflow with the same budget, information and seeds; promised was the %s, at prices %q. "+
			"Cost is that of the configuration recommended after some runs, on the true profile, relative to the cheapest configuration that keeps the promise. "+
			"A strategy below 1 breaks the promise: read cost together with the share of searches that keep it. Bands are 95 %% intervals of the mean over seeds.", ex.Target, ex.Price))
	for _, w := range append(ex.workflows(), allWorkflows) {
		chart := report.Chart{
			Title:   w,
			Caption: "Lower is better; the dashed line is the oracle.",
			X:       report.Axis{Label: "runs of the workflow"},
			Y:       report.Axis{Label: "cost over oracle", Log: true},
		}
		index := map[string]int{}
		for _, s := range summaries {
			if s.Workflow != w {
				continue
			}
			i, ok := index[s.Strategy]
			if !ok {
				i = len(chart.Series)
				index[s.Strategy] = i
				chart.Series = append(chart.Series, report.Series{Name: s.Strategy, Mark: report.LinePoints, Strong: s.Strategy == "structured"})
			}
			line := &chart.Series[i]
			line.X = append(line.X, float64(s.Samples))
			line.Y = append(line.Y, s.CostOverOracle.Mean)
			line.Lower = append(line.Lower, math.Max(s.CostOverOracle.Low, 1e-3))
			line.Upper = append(line.Upper, s.CostOverOracle.High)
		}
		if len(chart.Series) == 0 {
			continue
		}
		ends := chart.Series[0].X
		chart.Series = append(chart.Series, report.Series{
			Name: "oracle", X: []float64{ends[0], ends[len(ends)-1]}, Y: []float64{1, 1}, Dashed: true,
		})
		r.Section(w).Chart(chart)
	}
	table := report.Table{Header: []string{
		"workflow", "strategy", "runs", "searches", "cost over oracle", "low", "high", "worst", "kept (%)", "worst excess (%)", "violations while searching", "seconds per decision",
	}}
	for _, s := range summaries {
		c := s.CostOverOracle
		table.Rows = append(table.Rows, []any{
			s.Workflow, s.Strategy, s.Samples, s.Searches, c.Mean, c.Low, c.High, s.WorstCost,
			100 * s.Kept, 100 * s.WorstExcess, s.Violations, s.SecondsPerDecision,
		})
	}
	return r.Section("All figures").Table(table)
}
