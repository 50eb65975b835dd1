package control

import (
	"cmp"
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
)

// Demand returns how many CPUs a run may have used at once: the most, over its
// time, of what its invocations under way may use together. A quota below one CPU
// counts as one, since it is spent in bursts at full speed.
func Demand(invocations []function.Observation) float64 {
	type edge struct {
		at   time.Time
		cpus float64
	}
	var edges []edge
	for _, o := range invocations {
		begin := o.Time.Add(o.Queue + o.ColdStart)
		cpus := max(1, o.Resources.CPU.Cores())
		edges = append(edges, edge{begin, cpus}, edge{begin.Add(o.Execution), -cpus})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.cpus, b.cpus)) })
	sum, most := 0.0, 0.0
	for _, e := range edges {
		sum += e.cpus
		most = max(most, sum)
	}
	return most
}

// Crowded reports whether a run that may use up to demand CPUs at once was short of
// room on a machine of cpus CPUs while others used so many of them on average.
// Others may use half of what the run leaves, since they come in bursts, and the
// run may lose a tenth of what it needs.
func Crowded(demand, others, cpus float64) bool {
	demand = min(demand, cpus)
	return others > (cpus-demand)/2+demand/10
}
