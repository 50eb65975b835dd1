package experiment

import (
	"fmt"
	"math"
	"slices"
)

// EndToEndSummary compares the project's system on one workflow, or on average
// over all of them, with its peers and with the oracle. Shares and costs are over
// all seeds; of several workflows they are means over workflows.
type EndToEndSummary struct {
	Workflow string `json:"workflow"`
	// ViolationRate and Cost are the project's own. QoSMet is over all seeds.
	ViolationRate float64 `json:"violationRate"`
	Cost          float64 `json:"cost"`
	QoSMet        bool    `json:"qosMet"`
	// BestPeer costs least of the peers that keep the promise; empty if none does.
	BestPeer              string  `json:"bestPeer"`
	BestPeerViolationRate float64 `json:"bestPeerViolationRate"`
	BestPeerCost          float64 `json:"bestPeerCost"`
	// FewerViolations is how many times fewer violations there are than the best
	// peer has, or of (average) than all best peers together; absent where there
	// is nothing to compare or the project's system has none.
	FewerViolations *float64 `json:"fewerViolations"`
	// LowerCost is the share of the best peer's cost that is saved; absent
	// without a best peer.
	LowerCost *float64 `json:"lowerCost"`
	// PeersViolationRate is the mean of all peers, PeersFewerViolations how many
	// times fewer there are than that; LowerCostThanPeers the share of their mean
	// cost that is saved, whether they keep the promise or not.
	PeersViolationRate   float64  `json:"peersViolationRate"`
	PeersFewerViolations *float64 `json:"peersFewerViolations"`
	LowerCostThanPeers   *float64 `json:"lowerCostThanPeers"`
	// OracleCost is that of the oracle, CostOverOracle the own without trials
	// relative to it: the oracle makes none, and whoever serves for longer than
	// half a day makes them once. Absent where the oracle did not take part.
	OracleCost     float64  `json:"oracleCost"`
	CostOverOracle *float64 `json:"costOverOracle"`
	// HindsightCost is that of the best plan in hindsight, which does not know
	// when runs come, and CostOverHindsight the own without trials relative to it.
	HindsightCost     float64  `json:"hindsightCost"`
	CostOverHindsight *float64 `json:"costOverHindsight"`
	// Strict is the same of the project's system told to keep to a tenth of the error
	// budget, against the same peer; absent where it did not take part.
	Strict *EndToEndStrict `json:"strict"`
	// TrialShare is the part of the own cost that went into trials.
	TrialShare float64 `json:"trialShare"`
	// Text says it in one sentence.
	Text string `json:"text"`
}

// EndToEndStrict says what fewer violations cost: the fields are as in
// EndToEndSummary.
type EndToEndStrict struct {
	ViolationRate   float64  `json:"violationRate"`
	Cost            float64  `json:"cost"`
	FewerViolations *float64 `json:"fewerViolations"`
	LowerCost       *float64 `json:"lowerCost"`
}

// tally is what a system did with a workflow over all seeds.
type tally struct {
	runs, violations int64
	cost, trials     float64
	kept             bool
}

func (t tally) rate() float64 { return float64(t.violations) / float64(max(1, t.runs)) }

// tallies adds up seeds.
func (ex *EndToEndExperiment) tallies() (workflows, systems []string, of map[[2]string]tally) {
	of = map[[2]string]tally{}
	budget := map[[2]string]float64{}
	for _, r := range ex.Results {
		k := [2]string{r.Workflow, r.System}
		if !slices.Contains(workflows, r.Workflow) {
			workflows = append(workflows, r.Workflow)
		}
		if !slices.Contains(systems, r.System) {
			systems = append(systems, r.System)
		}
		t := of[k]
		t.runs += r.Runs
		t.violations += r.Violations
		t.cost += r.TotalCost
		t.trials += r.TrialCost
		of[k] = t
		budget[k] = r.ErrorBudget
	}
	for k, t := range of {
		t.kept = t.rate() <= budget[k]*(1+1e-9)
		of[k] = t
	}
	return workflows, systems, of
}

// peersOf returns the systems that the project's own is compared with.
func peersOf(systems []string) []string {
	return slices.DeleteFunc(slices.Clone(systems), func(s string) bool {
		return s == ownSystem || s == strictSystem || s == oracleSystem || s == hindsightSystem || slices.Contains(EndToEndAblations(), s)
	})
}

// Summaries returns the comparison for every workflow and, of several, on
// average; none without the project's own system.
func (ex *EndToEndExperiment) Summaries() []EndToEndSummary {
	workflows, systems, of := ex.tallies()
	if !slices.Contains(systems, ownSystem) {
		return nil
	}
	var out []EndToEndSummary
	for _, w := range workflows {
		out = append(out, summaryOf(w, peersOf(systems), of))
	}
	if len(out) > 1 {
		out = append(out, average(out))
	}
	for i := range out {
		out[i].Text = out[i].sentence()
	}
	return out
}

func summaryOf(workflow string, peers []string, of map[[2]string]tally) EndToEndSummary {
	own := of[[2]string{workflow, ownSystem}]
	s := EndToEndSummary{Workflow: workflow, ViolationRate: own.rate(), Cost: own.cost, QoSMet: own.kept, TrialShare: own.trials / own.cost}
	var meanCost float64
	for _, name := range peers {
		p := of[[2]string{workflow, name}]
		s.PeersViolationRate += p.rate() / float64(len(peers))
		meanCost += p.cost / float64(len(peers))
		if p.kept && (s.BestPeer == "" || p.cost < s.BestPeerCost) {
			s.BestPeer, s.BestPeerViolationRate, s.BestPeerCost = name, p.rate(), p.cost
		}
	}
	if s.BestPeer != "" {
		s.FewerViolations, s.LowerCost = ratio(s.BestPeerViolationRate, s.ViolationRate), saved(own.cost, s.BestPeerCost)
	}
	if len(peers) > 0 {
		s.PeersFewerViolations, s.LowerCostThanPeers = ratio(s.PeersViolationRate, s.ViolationRate), saved(own.cost, meanCost)
	}
	if x, ok := of[[2]string{workflow, strictSystem}]; ok {
		s.Strict = &EndToEndStrict{ViolationRate: x.rate(), Cost: x.cost}
		if s.BestPeer != "" {
			s.Strict.FewerViolations, s.Strict.LowerCost = ratio(s.BestPeerViolationRate, x.rate()), saved(x.cost, s.BestPeerCost)
		}
	}
	if o, ok := of[[2]string{workflow, oracleSystem}]; ok {
		s.OracleCost = o.cost
		s.CostOverOracle = ratio(own.cost-own.trials, o.cost)
	}
	if h, ok := of[[2]string{workflow, hindsightSystem}]; ok {
		s.HindsightCost = h.cost
		s.CostOverHindsight = ratio(own.cost-own.trials, h.cost)
	}
	return s
}

// ratio is a/b, absent where b is nothing.
func ratio(a, b float64) *float64 {
	if !(b > 0) {
		return nil
	}
	x := a / b
	return &x
}

func saved(own, other float64) *float64 {
	if r := ratio(own, other); r != nil {
		x := 1 - *r
		return &x
	}
	return nil
}

// average is over workflows: of shares and ratios the mean over those that have
// one, of how many times fewer violations the ratio of means.
func average(all []EndToEndSummary) EndToEndSummary {
	s := EndToEndSummary{Workflow: allWorkflows, QoSMet: true}
	var ownWithPeer float64
	var cheaper, cheaperThanAll, overOracle, overHindsight []float64
	n := float64(len(all))
	for _, x := range all {
		s.ViolationRate += x.ViolationRate / n
		s.Cost += x.Cost / n
		s.QoSMet = s.QoSMet && x.QoSMet
		s.PeersViolationRate += x.PeersViolationRate / n
		s.OracleCost += x.OracleCost / n
		s.HindsightCost += x.HindsightCost / n
		s.TrialShare += x.TrialShare / n
		if x.BestPeer != "" {
			s.BestPeerViolationRate += x.BestPeerViolationRate
			s.BestPeerCost += x.BestPeerCost
			ownWithPeer += x.ViolationRate
			cheaper = append(cheaper, *x.LowerCost)
		}
		if x.LowerCostThanPeers != nil {
			cheaperThanAll = append(cheaperThanAll, *x.LowerCostThanPeers)
		}
		if x.CostOverOracle != nil {
			overOracle = append(overOracle, *x.CostOverOracle)
		}
		if x.CostOverHindsight != nil {
			overHindsight = append(overHindsight, *x.CostOverHindsight)
		}
	}
	if k := float64(len(cheaper)); k > 0 {
		s.BestPeer = fmt.Sprintf("best of each (%d of %d workflows)", len(cheaper), len(all))
		s.FewerViolations = ratio(s.BestPeerViolationRate, ownWithPeer)
		s.BestPeerViolationRate /= k
		s.BestPeerCost /= k
	}
	s.Strict = averageStrict(all)
	s.PeersFewerViolations = ratio(s.PeersViolationRate, s.ViolationRate)
	s.LowerCost, s.LowerCostThanPeers = meanOf(cheaper), meanOf(cheaperThanAll)
	s.CostOverOracle, s.CostOverHindsight = meanOf(overOracle), meanOf(overHindsight)
	return s
}

// averageStrict is average for the strict system, nil where it did not take part.
func averageStrict(all []EndToEndSummary) *EndToEndStrict {
	var out EndToEndStrict
	var own, peers float64 // violations where there is a best peer
	var cheaper []float64
	for _, x := range all {
		if x.Strict == nil {
			return nil
		}
		out.ViolationRate += x.Strict.ViolationRate / float64(len(all))
		out.Cost += x.Strict.Cost / float64(len(all))
		if x.Strict.LowerCost != nil {
			own += x.Strict.ViolationRate
			peers += x.BestPeerViolationRate
			cheaper = append(cheaper, *x.Strict.LowerCost)
		}
	}
	out.FewerViolations, out.LowerCost = ratio(peers, own), meanOf(cheaper)
	return &out
}

func meanOf(x []float64) *float64 {
	if len(x) == 0 {
		return nil
	}
	var sum float64
	for _, v := range x {
		sum += v / float64(len(x))
	}
	return &sum
}

// The goals that sentences measure against.
const (
	goalFewer  = 10.0
	goalCost   = 0.45
	goalOracle = 1.05
)

// sentence says how the project's system did, and where it misses a goal.
func (s *EndToEndSummary) sentence() string {
	text := fmt.Sprintf("%s: %.2f %% violations", s.Workflow, 100*s.ViolationRate)
	if !s.QoSMet {
		text += ", more than the error budget"
	}
	switch {
	case s.LowerCostThanPeers == nil: // no peer took part
	case s.BestPeer == "":
		text += "; no peer keeps the promise"
	default:
		text += fmt.Sprintf("; best peer that keeps the promise, %s: %.2f %%", s.BestPeer, 100*s.BestPeerViolationRate)
		if s.FewerViolations != nil {
			text += fmt.Sprintf(", %.1f times as many%s", *s.FewerViolations, missed(*s.FewerViolations >= goalFewer, "%g", goalFewer))
		}
		text += fmt.Sprintf("; cost %.0f %% lower%s", 100**s.LowerCost, missed(*s.LowerCost >= goalCost, "%g %%", 100*goalCost))
	}
	if s.Strict != nil {
		text += fmt.Sprintf("; told to keep to a tenth of the error budget: %.2f %%", 100*s.Strict.ViolationRate)
		if s.Strict.FewerViolations != nil {
			text += fmt.Sprintf(", that peer %.1f times as many%s", *s.Strict.FewerViolations, missed(*s.Strict.FewerViolations >= goalFewer, "%g", goalFewer))
		}
		if s.Strict.LowerCost != nil {
			text += fmt.Sprintf(", cost %.0f %% lower than that peer's%s", 100**s.Strict.LowerCost, missed(*s.Strict.LowerCost >= goalCost, "%g %%", 100*goalCost))
		}
	}
	if s.PeersFewerViolations != nil && s.LowerCostThanPeers != nil {
		text += fmt.Sprintf("; peers on average %.1f times as many violations, cost %.0f %% lower than theirs", *s.PeersFewerViolations, 100**s.LowerCostThanPeers)
	}
	if s.CostOverOracle != nil {
		text += fmt.Sprintf("; running cost %.1f %% over the oracle%s, trials %.1f %% of all cost", 100*(*s.CostOverOracle-1), missed(*s.CostOverOracle <= goalOracle, "%g %%", math.Round(100*(goalOracle-1))), 100*s.TrialShare)
	}
	if s.CostOverHindsight != nil {
		text += fmt.Sprintf("; %.1f %% over the best plan in hindsight", 100*(*s.CostOverHindsight-1))
	}
	return text + "."
}

func missed(met bool, format string, goal float64) string {
	if met {
		return ""
	}
	return fmt.Sprintf(" (goal "+format+": missed)", goal)
}
