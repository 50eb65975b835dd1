package control

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/workflow"
)

// Predictor says what is believed of any configuration.
type Predictor interface {
	Predict(p *tuner.Problem, history []tuner.Run, c tuner.Configuration, rng *rand.Rand) (tuner.Result, error)
}

// Online decides which live runs of a workflow try other resources than those
// that serve. Two bounds hold at all times:
//
//   - at most Share of the live runs are trials;
//   - a trial is only made while the error budget has room for its violation:
//     every live run earns the share of violations that the promise allows, every
//     violation of any live run spends one, and a trial needs one in hand.
//
// Besides, what is tried must be believed to keep the promise: a configuration
// that is not is moved towards the one that serves until it is.
type Online struct {
	t       *Tuning
	predict Predictor
	serving tuner.Configuration
	share   float64

	runs, trials, violations int
}

// ErrOnline says that a session cannot be online.
var ErrOnline = errors.New("cannot tune online")

// NewOnline makes a session online: serving is what live runs use.
func NewOnline(t *Tuning, serving map[string]function.Resources, share float64) (*Online, error) {
	predict, ok := t.c.Strategy.(Predictor)
	if !ok {
		return nil, fmt.Errorf("%w with strategy %s, which does not predict what it tries: use structured", ErrOnline, t.c.Strategy.Name())
	}
	if !(share > 0 && share <= 0.5) {
		return nil, fmt.Errorf("%w with a share of %v: it must be above 0 and at most 0.5", ErrOnline, share)
	}
	if t.problem.Target.Percentile == 0 {
		return nil, fmt.Errorf("%w for a mean, which has no error budget", ErrOnline)
	}
	o := &Online{t: t, predict: predict, share: share}
	for _, f := range t.problem.Functions {
		o.serving = append(o.serving, serving[f.Name])
	}
	return o, nil
}

// credit is the number of violations that the live runs so far allow beyond
// those that were seen.
func (o *Online) credit() float64 {
	return float64(o.runs)*(1-o.t.problem.Target.Percentile/100) - float64(o.violations)
}

// Allows reports whether the next live run may be a trial.
func (o *Online) Allows() bool {
	return o.credit() >= 1 && float64(o.trials+1) <= o.share*float64(o.runs+1)
}

// Note counts a live run that ended.
func (o *Online) Note(trial, violated bool) {
	o.runs++
	if trial {
		o.trials++
	}
	if violated {
		o.violations++
	}
}

// Counts returns the live runs, the trials and the violations among them so far.
func (o *Online) Counts() (runs, trials, violations int) { return o.runs, o.trials, o.violations }

// shrinks is how often a configuration is moved halfway to the one that serves.
const shrinks = 4

// Next returns what the next trial uses. It is what serves if nothing else is
// believed to keep the promise: that is learnt from too.
func (o *Online) Next() (tuner.Configuration, error) {
	t := o.t
	batch, err := t.c.Strategy.Next(&t.problem, t.history, 1, max(1, t.Left()), t.stream("decision"))
	if err != nil {
		return nil, fmt.Errorf("deciding what to try: %w", err)
	}
	if len(batch) == 0 {
		return o.serving, nil
	}
	c := o.roomy(batch[0])
	for range shrinks {
		safe, err := o.safe(c)
		if err != nil {
			return nil, err
		}
		if safe {
			return c, nil
		}
		c = o.roomy(o.towards(c))
	}
	return o.serving, nil
}

// liveHeadroom is how much more memory than the largest measured peak a live run
// gets: an invocation that is killed is a violation for sure.
const liveHeadroom = 1.25

// roomy raises the memory of a configuration to what has been seen to be needed,
// with headroom; where nothing has, to what serves.
func (o *Online) roomy(c tuner.Configuration) tuner.Configuration {
	peak := make([]function.Bytes, len(c))
	of := map[string]int{}
	for i, f := range o.t.problem.Functions {
		of[f.Name] = i
	}
	for _, r := range o.t.history {
		for _, inv := range r.Invocations {
			if i, ok := of[o.t.problem.Graph.Stages[inv.Stage].Function]; ok {
				peak[i] = max(peak[i], inv.PeakMemory)
			}
		}
	}
	out := make(tuner.Configuration, len(c))
	for i, f := range o.t.problem.Functions {
		out[i] = c[i]
		need := o.serving[i].Memory
		if peak[i] > 0 {
			need = min(need, function.Bytes(f.Space.Memory.SnapUp(int64(liveHeadroom*float64(peak[i])))))
		}
		out[i].Memory = max(c[i].Memory, need)
	}
	return out
}

// safe reports whether a configuration keeps the promise with 95 % of the belief.
func (o *Online) safe(c tuner.Configuration) (bool, error) {
	t := o.t
	if len(t.history) == 0 {
		return false, nil
	}
	res, err := o.predict.Predict(&t.problem, t.history, c, t.stream("guard"))
	if err != nil {
		return false, fmt.Errorf("predicting a trial: %w", err)
	}
	return res.Promised.Mean > 0 && res.Promised.High <= t.problem.Target.Seconds, nil
}

// towards returns the configuration halfway, in the logarithm, to what serves.
func (o *Online) towards(c tuner.Configuration) tuner.Configuration {
	out := make(tuner.Configuration, len(c))
	for i, f := range o.t.problem.Functions {
		half := func(a, b int64) int64 { return int64(math.Round(math.Sqrt(float64(a) * float64(b)))) }
		out[i] = function.Resources{
			CPU:    function.MilliCPU(f.Space.CPU.Snap(half(int64(c[i].CPU), int64(o.serving[i].CPU)))),
			Memory: function.Bytes(f.Space.Memory.SnapUp(half(int64(c[i].Memory), int64(o.serving[i].Memory)))),
		}
	}
	return out
}

// Keep adds a live run to what is known. Trial.Input tells which of the inputs it
// had, if any.
func (o *Online) Keep(ctx context.Context, now time.Time, trial Trial, m Measurement) error {
	r := RecordOf(trial, m)
	r.Online = true
	if trial.Input >= 0 {
		r.Input = o.t.c.Inputs[trial.Input].Name
	}
	return o.t.keep(ctx, now, r, trial.Input)
}

// Concurrency returns the most invocations of a function that one run of a graph
// makes at once.
func Concurrency(g *workflow.Graph, fn string) int {
	var walk func(n *workflow.Node) int
	walk = func(n *workflow.Node) int {
		if n.Kind == workflow.KindStage {
			if g.Stages[n.Stage].Function == fn {
				return 1
			}
			return 0
		}
		sum, most := 0, 0
		for _, c := range n.Children {
			k := walk(c)
			sum, most = sum+k, max(most, k)
		}
		switch n.Kind {
		case workflow.KindParallel, workflow.KindRace:
			return sum
		case workflow.KindLoop:
			return most * max(1, min(n.Width, n.Iterations()))
		}
		return most
	}
	return walk(g.Root)
}
