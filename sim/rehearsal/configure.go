package rehearsal

import (
	"fmt"
	"slices"

	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
)

// tightness are the targets that configurations are made for, as percentiles of
// the latency and shares of what was promised: from one that spends more than
// the whole error budget on slow executions to one that leaves room for starts.
var tightness = []struct{ percentile, share float64 }{
	{90, 1}, {95, 1}, {97.5, 1}, {99, 1}, {99.5, 1}, {99.5, 0.9}, {99.5, 0.8}, {99.5, 0.65}, {99.5, 0.5},
}

// Configure implements control.Joint.
func (r *Rehearsal) Configure(serving tuner.Serving) ([]tuner.Configuration, error) {
	var out []tuner.Configuration
	for _, t := range tightness {
		if r.Problem.Target.Percentile == 0 {
			t.percentile = 0 // the mean is promised
		}
		c, err := r.Recommend(t.percentile, t.share, serving)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(out, func(x tuner.Configuration) bool { return slices.Equal(x, c) }) {
			out = append(out, c)
		}
	}
	// What the tuner does not believe to be any faster may be so.
	tightest := out[len(out)-1]
	return append(out, Scaled(r.Problem, tightest, 1.4), Scaled(r.Problem, tightest, 2)), nil
}

// Recommend returns the tuner's choice for a percentile and a share of the latency
// promised, for functions that are served as is known.
func (r *Rehearsal) Recommend(percentile, share float64, serving tuner.Serving) (tuner.Configuration, error) {
	p := *r.Problem
	p.Serving = serving
	p.Target = tuner.Target{Seconds: r.QoS.Latency.Seconds() * share, Percentile: percentile}
	res, err := r.Structured.Recommend(&p, r.History, stats.Stream(r.Seed, "sim/rehearsal/recommend"))
	if err != nil {
		return nil, fmt.Errorf("choosing resources: %w", err)
	}
	return res.Configuration, nil
}
