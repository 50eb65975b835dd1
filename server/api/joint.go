package api

import (
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
)

// JointPlan is what was decided over the resources and the warm pool of a workflow
// together, from rehearsals on its own recorded arrivals.
type JointPlan struct {
	Decided      time.Time                     `json:"decided"`
	Applied      bool                          `json:"applied" doc:"Whether the warm pool follows it; otherwise it is recommended only."`
	Feasible     bool                          `json:"feasible" doc:"Whether the promise is expected to be kept."`
	Reason       string                        `json:"reason"`
	PriceSeconds float64                       `json:"priceSeconds" doc:"For how long an instance may be idle for the price of a cold start."`
	OnDemand     []string                      `json:"onDemand" doc:"Functions that are not kept between runs."`
	LookAhead    bool                          `json:"lookAhead" doc:"Whether runs that have begun start instances for their later stages."`
	Resources    map[string]function.Resources `json:"resources" doc:"By function. Deployed only after a tuning that was to be applied."`
	Expected     JointExpectation              `json:"expected"`
	InForce      JointExpectation              `json:"inForce" doc:"The same of what was in force when it was decided."`
	Account      JointAccount                  `json:"account" doc:"Of the error budget, from the runs that were served with such plans since the resources were decided."`
	Rehearsed    int                           `json:"rehearsed" doc:"Recorded runs that plans were tried on."`
	Tried        int                           `json:"tried" doc:"Plans that were tried on all of them."`
}

// JointExpectation is what a plan did in rehearsals.
type JointExpectation struct {
	Violations float64 `json:"violations" doc:"Share of runs."`
	Deviation  float64 `json:"violationsDeviation" doc:"Standard deviation of that, over what is not known of the functions."`
	CostPerRun float64 `json:"costPerRun" doc:"Idle instances included."`
}

// JointAccount compares what came with what rehearsals had expected.
type JointAccount struct {
	Runs       int     `json:"runs"`
	Violations int     `json:"violations"`
	Expected   float64 `json:"expectedViolations"`
}

// IsOnDemand reports whether a function is not kept between runs.
func (p *JointPlan) IsOnDemand(fn string) bool { return slices.Contains(p.OnDemand, fn) }
