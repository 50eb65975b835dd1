package server

import (
	"math"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/workflow"
)

// recommendation presents an outcome.
func (s *Server) recommendation(out control.TuningOutcome, session *control.Tuning, plan *tuningPlan) *api.Recommendation {
	r := &api.Recommendation{
		Verdict: string(out.Verdict), Reason: out.Reason, Blocker: out.Blocker, QoS: plan.qos, Runs: out.Runs,
		Price: plan.config.Price.Name, Current: currentCost(session, plan.catalog), Functions: []api.FunctionChoice{},
	}
	shares := map[string]tuner.Share{}
	for _, sh := range out.Shares {
		shares[sh.Function] = sh
	}
	problem := session.Problem()
	for i, f := range problem.Functions {
		if i >= len(out.Configuration) {
			break
		}
		r.Functions = append(r.Functions, api.FunctionChoice{
			Function: f.Name, From: plan.catalog.functions[f.Name].revision.Resources, To: out.Configuration[i],
			LatencyShare: shares[f.Name].Latency, CostShare: shares[f.Name].Cost,
		})
	}
	if out.Promised.Mean > 0 {
		r.Promised = intervalOf(out.Promised, 1000)
	}
	if out.Cost.Mean > 0 {
		r.Cost = intervalOf(out.Cost, 1)
	}
	for _, q := range out.Latency {
		r.Latency = append(r.Latency, api.LatencyQuantile{Percentile: 100 * q.Level, Millis: *intervalOf(q.Band, 1000)})
	}
	for _, f := range out.Frontier {
		r.Frontier = append(r.Frontier, api.FrontierPoint{
			LatencyMillis: 1000 * f.Seconds, Cost: *intervalOf(f.Cost, 1), Feasible: f.Feasible,
		})
	}
	return r
}

// intervalOf presents a band; what is not a number is 0, since JSON has none.
func intervalOf(b tuner.Band, scale float64) *api.Interval {
	finite := func(v float64) float64 {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return 0
		}
		return v * scale
	}
	return &api.Interval{Low: finite(b.Low), Mean: finite(b.Mean), High: finite(b.High)}
}

// measuredOf presents the runs of a session.
func measuredOf(session *control.Tuning) []api.MeasuredTrial {
	p := session.Problem()
	var out []api.MeasuredTrial
	for _, r := range session.History() {
		out = append(out, api.MeasuredTrial{LatencyMillis: 1000 * r.Latency, Cost: p.Cost(r), Failed: r.Failed})
	}
	return out
}

// currentCost is the mean cost of the runs that were measured with the resources
// that are deployed, 0 without one.
func currentCost(session *control.Tuning, c *catalog) float64 {
	p := session.Problem()
	sum, n := 0.0, 0.0
	for _, r := range session.History() {
		same := !r.Failed
		for i, f := range p.Functions {
			same = same && r.Configuration[i] == c.functions[f.Name].revision.Resources
		}
		if same {
			sum, n = sum+p.Cost(r), n+1
		}
	}
	if n == 0 {
		return 0
	}
	return sum / n
}

// explain answers what a promise would take, from the runs that are kept.
func (s *Server) explain(session *control.Tuning, plan *tuningPlan, qos workflow.QoS) (*api.Recommendation, error) {
	out, err := session.Explain(tuner.PromiseOf(qos))
	if err != nil {
		return nil, err
	}
	rec := s.recommendation(out, session, plan)
	rec.QoS = qos
	return rec, nil
}
