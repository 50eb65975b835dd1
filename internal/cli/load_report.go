package cli

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/aquatope/aquatope/internal/report"
	"github.com/aquatope/aquatope/load"
	"github.com/aquatope/aquatope/stats"
)

// loadReport shows what a load run measured.
func loadReport(plan loadPlan, r loadResult) *report.Report {
	out := report.New("Load: " + plan.what)
	out.Text(fmt.Sprintf("Started %s, took %s. Runs were sent when due, whether or not earlier ones had ended; latency counts from when a run was due.",
		r.Started.Format(time.RFC1123), humanDuration(r.Duration)))
	for i, t := range r.tables() {
		if i < 2 {
			out.Table(reportTable(t))
		}
	}
	for i, t := range r.Targets {
		out.Section(t.Target)
		if len(t.Errors) > 0 {
			failures := report.Table{Caption: "The commonest failures.", Header: []string{"reason", "runs"}}
			for reason, n := range t.Errors {
				failures.Rows = append(failures.Rows, []any{reason, n})
			}
			slices.SortFunc(failures.Rows, func(a, b []any) int {
				return cmp.Or(b[1].(int)-a[1].(int), cmp.Compare(a[0].(string), b[0].(string)))
			})
			out.Table(failures)
		}
		out.Chart(latencyOverTime(t, r.samples[i], r.Duration))
		out.Chart(latencyDistribution(t, r.samples[i]))
	}
	return out
}

func reportTable(t Table) report.Table {
	out := report.Table{Caption: t.Title + ". " + t.Note, Header: t.Columns}
	for _, row := range t.Rows {
		cells := make([]any, len(row))
		for i, c := range row {
			cells[i] = human(c)
		}
		out.Rows = append(out.Rows, cells)
	}
	return out
}

// latencyOverTime shows every run at the time at which it was due.
func latencyOverTime(t loadTargetResult, samples []load.Sample, d time.Duration) report.Chart {
	ok := report.Series{Name: "run", Mark: report.Points}
	bad := report.Series{Name: "failed run", Mark: report.Points, Strong: true}
	for _, s := range samples {
		to := &ok
		if s.Error != "" {
			to = &bad
		}
		to.X = append(to.X, s.At.Seconds())
		to.Y = append(to.Y, s.Latency.Seconds())
	}
	c := report.Chart{
		Title:   "Latency of every run",
		Caption: "Each point is one run, at the time at which it was due.",
		X:       report.Axis{Label: "due after", Unit: "s"},
		Y:       report.Axis{Label: "latency", Unit: "s"},
	}
	for _, s := range []report.Series{ok, bad} {
		if len(s.X) > 0 {
			c.Series = append(c.Series, s)
		}
	}
	if t.QoS.Latency > 0 {
		q := t.QoS.Latency.Seconds()
		c.Series = append(c.Series, report.Series{Name: "promised", X: []float64{0, d.Seconds()}, Y: []float64{q, q}, Dashed: true})
	}
	return c
}

// latencyDistribution shows which share of runs ended within which time.
func latencyDistribution(t loadTargetResult, samples []load.Sample) report.Chart {
	var x []float64
	for _, s := range samples {
		if s.Error == "" {
			x = append(x, s.Latency.Seconds())
		}
	}
	slices.Sort(x)
	curve := report.Series{Name: "runs that ended well", Strong: true}
	const points = 200
	for i := 0; len(x) > 0 && i <= points; i++ {
		p := float64(i) / points
		curve.X = append(curve.X, stats.Quantile(p, x))
		curve.Y = append(curve.Y, 100*p*float64(len(x))/float64(len(samples)))
	}
	c := report.Chart{
		Title:   "Share of runs within a latency",
		Caption: "Failed runs never end, so the curve stays below 100 % where there are any.",
		X:       report.Axis{Label: "latency", Unit: "s"},
		Y:       report.Axis{Label: "runs ended", Unit: "%"},
	}
	if len(curve.X) > 0 {
		c.Series = append(c.Series, curve)
	}
	if q := t.QoS; q.Latency > 0 {
		c.Series = append(c.Series,
			report.Series{Name: "promise", X: []float64{q.Latency.Seconds(), q.Latency.Seconds()}, Y: []float64{0, q.Percentile}, Dashed: true},
			report.Series{Name: "promised share", X: []float64{0, q.Latency.Seconds()}, Y: []float64{q.Percentile, q.Percentile}, Dashed: true})
	}
	return c
}
