package experiment

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/baseline"
	"github.com/aquatope/aquatope/forecast/bnn"
	"github.com/aquatope/aquatope/forecast/hurdle"
	"github.com/aquatope/aquatope/forecast/prior"
	"github.com/aquatope/aquatope/trace"
)

// ForecastOptions say how forecasters are compared.
type ForecastOptions struct {
	Models []string // by name; empty means all of ForecastModels
	Seed   uint64
	// TrainLimit bounds the training of each model; what it has learnt by then
	// is judged. 0 means no bound.
	TrainLimit time.Duration
	// Progress is told what is done, and the share of the whole in [0, 1].
	Progress func(done float64, note string)
}

// ForecastResult is how good the one-step-ahead predictions of a model are.
// Losses are averages over functions of the function's mean loss divided by its
// mean demand; see forecast.Score.
type ForecastResult struct {
	Model          string  `json:"model"`
	Default        bool    `json:"default"`
	Functions      int     `json:"functions"` // with demand in the test
	PinballLoss90  float64 `json:"pinballLoss90"`
	CRPS           float64 `json:"crps"`
	SMAPE          float64 `json:"smape"`
	Coverage90     float64 `json:"coverage90"` // randomised
	TrainSeconds   float64 `json:"trainSeconds"`
	InferMicros    float64 `json:"inferMicrosPerFunction"`
	Unscaled       float64 `json:"pinballLoss90Unscaled"` // in invocations, over all windows
	TrainingEnded  bool    `json:"trainingCompleted"`     // false when TrainLimit cut it short
	PredictedTimes int     `json:"predictions"`
}

// ForecastComparison is the outcome of the experiment.
type ForecastComparison struct {
	Train   trace.Span       `json:"trainMinutes"`
	Test    trace.Span       `json:"testMinutes"`
	Notes   []string         `json:"notes"`
	Results []ForecastResult `json:"results"`
}

// minTraceMinutes is the shortest covered trace that can be split in two.
const minTraceMinutes = 2 * 60

// forecastLearners are the models that are compared, the default first.
func forecastLearners() []forecast.Learner {
	return append([]forecast.Learner{prior.Learner(), bnn.Learner{}}, baseline.All()...)
}

// ForecastModels returns the names of all models, the default first.
func ForecastModels() []string {
	var names []string
	for _, l := range forecastLearners() {
		names = append(names, l.Name())
	}
	return names
}

// Forecast trains every model on the first half of the covered minutes and
// scores its predictions of the second, one minute ahead, minute by minute.
func Forecast(ctx context.Context, t *trace.Trace, o ForecastOptions) (*ForecastComparison, error) {
	if n := t.Covered.Len(); n < minTraceMinutes {
		return nil, fmt.Errorf("the trace covers %d minutes: at least %d are needed to train on one half and test on the other", n, minTraceMinutes)
	}
	learners := forecastLearners()
	if len(o.Models) > 0 {
		for _, m := range o.Models {
			if !slices.Contains(ForecastModels(), m) {
				return nil, fmt.Errorf("no forecaster is called %q: choose from %v", m, ForecastModels())
			}
		}
		learners = slices.DeleteFunc(learners, func(l forecast.Learner) bool { return !slices.Contains(o.Models, l.Name()) })
	}
	c := &ForecastComparison{Notes: append([]string{}, t.Notes...)}
	c.Train, c.Test = t.Halves()
	for i, l := range learners {
		tell := func(done float64, note string) {
			if o.Progress != nil {
				o.Progress((float64(i)+done)/float64(len(learners)), l.Name()+": "+note)
			}
		}
		r, err := scoreForecaster(ctx, t, l, o, tell)
		if err != nil {
			return nil, fmt.Errorf("forecaster %s: %w", l.Name(), err)
		}
		r.Default = l.Name() == hurdle.Name
		if !r.TrainingEnded {
			c.Notes = append(c.Notes, fmt.Sprintf("Training of %s was ended at the limit of %s.", l.Name(), o.TrainLimit))
		}
		c.Results = append(c.Results, r)
	}
	return c, nil
}

func scoreForecaster(ctx context.Context, t *trace.Trace, l forecast.Learner, o ForecastOptions, tell func(float64, string)) (ForecastResult, error) {
	train, test := t.Halves()
	data := make([]*forecast.History, len(t.Functions))
	cases := make([]forecast.Case, len(t.Functions))
	for i := range t.Functions {
		f := &t.Functions[i]
		data[i] = forecast.FromTrace(t, f, train)
		cases[i] = forecast.Case{History: forecast.FromTrace(t, f, train), Future: f.Counts.Dense(nil, test)}
	}
	const trainShare = 0.5 // of the progress
	start := time.Now()
	ended := true
	m, err := l.Train(data, forecast.Budget{
		Continue: func() bool {
			if ctx.Err() != nil || o.TrainLimit > 0 && time.Since(start) > o.TrainLimit {
				ended = false
				return false
			}
			return true
		},
		Progress: func(done float64) { tell(trainShare*done, "training") },
	}, rand.New(rand.NewPCG(o.Seed, 1)))
	if err := context.Cause(ctx); err != nil {
		return ForecastResult{}, err
	}
	if err != nil {
		return ForecastResult{}, err
	}
	r := ForecastResult{Model: l.Name(), TrainSeconds: time.Since(start).Seconds(), TrainingEnded: ended}
	var inference time.Duration
	s, err := forecast.Backtest(m.New(), cases, func(window int, predict func()) error {
		if window%32 == 0 {
			tell(trainShare+(1-trainShare)*float64(window)/float64(test.Len()), "testing")
		}
		start := time.Now()
		predict()
		inference += time.Since(start)
		return context.Cause(ctx)
	})
	if err != nil {
		return ForecastResult{}, err
	}
	r.Functions, r.PinballLoss90, r.CRPS, r.SMAPE = s.Functions, s.Pinball90, s.CRPS, s.SMAPE
	r.Coverage90, r.Unscaled, r.PredictedTimes = s.Coverage90, s.Unscaled, s.Windows
	r.InferMicros = inference.Seconds() * 1e6 / float64(max(s.Windows, 1))
	return r, nil
}
