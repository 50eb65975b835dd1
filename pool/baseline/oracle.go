package baseline

import (
	"time"

	"github.com/aquatope/aquatope/pool"
)

// Future tells how many instances every function will need.
type Future interface {
	// Peaks returns, by function, the largest number of instances busy at once
	// in the step that starts at the instant, if no invocation ever had to wait.
	// Instants are multiples of the oracle's step. The slice is valid until the next call.
	Peaks(at time.Duration) []int32
}

// OracleStep is how often the oracle is to be asked for a plan, unless it is made
// for another step.
const OracleStep = time.Second

// Oracle knows the future. It has an instance ready exactly when it will be
// needed and none otherwise, which takes the fewest idle instance-seconds with
// no cold start: the time of its start, and the step of a second that it decides
// in. Below a price of a cold start it rather lets the costly ones happen.
type Oracle struct {
	pool.Planner
	functions []pool.Function
	price     float64 // GB-seconds of idle memory that a cold start may cost
	step      time.Duration
	future    Future
	steps     [][]int32 // a ring of peaks, index by step
	ahead     []int     // how many steps a function looks ahead
	loaded    int64     // steps that are in the ring, from 0
	plan      pool.Plan
}

// NewOracle returns the policy. Price is in GB-seconds for each cold start.
func NewOracle(functions []pool.Function, future Future, price float64) *Oracle {
	return NewOracleEvery(OracleStep, functions, future, price)
}

// NewOracleEvery returns the policy that decides every step: the shorter, the
// less it keeps idle.
func NewOracleEvery(step time.Duration, functions []pool.Function, future Future, price float64) *Oracle {
	o := &Oracle{functions: functions, price: price, step: step, future: future, ahead: make([]int, len(functions)), plan: make(pool.Plan, len(functions))}
	longest := 0
	for i, f := range functions {
		o.ahead[i] = int((f.ColdStart+step-1)/step) + 1
		longest = max(longest, o.ahead[i])
	}
	o.steps = make([][]int32, longest+1)
	for i := range o.steps {
		o.steps[i] = make([]int32, len(functions))
	}
	return o
}

// Name implements pool.Policy.
func (*Oracle) Name() string { return "oracle" }

// Plan implements pool.Policy.
func (o *Oracle) Plan(s *pool.Snapshot) pool.Plan {
	now := int64(s.Now / o.step)
	n := int64(len(o.steps))
	for ; o.loaded < now+n; o.loaded++ {
		copy(o.steps[o.loaded%n], o.future.Peaks(time.Duration(o.loaded)*o.step))
	}
	for i := range o.plan {
		f := &o.functions[i]
		warm := int32(0)
		if f.GB()*(f.ColdStart+o.step).Seconds() <= o.price {
			for k := range o.ahead[i] {
				warm = max(warm, o.steps[(now+int64(k))%n][i])
			}
		}
		o.plan[i] = pool.Target{Warm: int(warm)}
	}
	return o.plan
}
