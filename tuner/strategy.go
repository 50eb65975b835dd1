package tuner

import "math/rand/v2"

// Strategy decides which configurations to try and which to use. Its methods
// are pure: the same problem, history and random stream give the same answer,
// whatever was asked before. What an implementation remembers only saves time.
type Strategy interface {
	// Name is how reports call the strategy.
	Name() string
	// Next returns between 1 and n configurations to run next, each once, with
	// left runs remaining in the budget, or none if the strategy has finished
	// before the budget has.
	Next(p *Problem, history []Run, n, left int, rng *rand.Rand) ([]Configuration, error)
	// Recommend returns the configuration to use according to the history.
	Recommend(p *Problem, history []Run, rng *rand.Rand) (Result, error)
}

// Result is a recommendation.
type Result struct {
	Configuration Configuration
	// Feasible tells whether the strategy believes that the promise holds.
	Feasible bool
	// Latency is the predicted distribution of the end-to-end latency; empty for
	// strategies that do not predict one.
	Latency []Quantile
	// Promised is the promised percentile (or mean) of the latency.
	Promised Band
	// Cost of one run.
	Cost Band
	// Shares of the functions, in order; empty where not known.
	Shares []Share
	// Blocker is the function that keeps the promise from being kept, if the
	// result is not feasible and that is known.
	Blocker string
	// Reason says in one sentence how the result came about.
	Reason string
}

// Band is an estimate with the interval that holds 90 % of the posterior.
type Band struct{ Low, Mean, High float64 }

// Quantile is one quantile of a predicted distribution.
type Quantile struct {
	Level float64 // in (0, 1)
	Band
}

// Share is a function's part in the predicted latency and cost.
type Share struct {
	Function string
	// Latency is the share of the end-to-end latency that the function spends
	// on the critical path.
	Latency float64
	Cost    float64
}

// FrontierPoint is the cheapest configuration for one latency target.
type FrontierPoint struct {
	Seconds       float64
	Cost          Band
	Configuration Configuration
	Feasible      bool
}
