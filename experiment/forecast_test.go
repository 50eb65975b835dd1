package experiment_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/trace"
)

func smallTrace(t *testing.T) *trace.Trace {
	t.Helper()
	tr, err := trace.Generator{Functions: 40, Days: 1}.Generate(rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	tr.Covered = trace.Span{From: 600, To: 900}
	return tr
}

func TestForecast(t *testing.T) {
	t.Parallel()
	models := []string{"hurdle", "last-value", "seasonal-naive"}
	last := 0.0
	c, err := experiment.Forecast(context.Background(), smallTrace(t), experiment.ForecastOptions{
		Models: models, Seed: 1,
		Progress: func(done float64, _ string) {
			if done < last-1e-9 || done > 1 {
				t.Errorf("progress went from %v to %v", last, done)
			}
			last = done
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Results) != len(models) || c.Train != (trace.Span{From: 600, To: 750}) || c.Test != (trace.Span{From: 750, To: 900}) {
		t.Fatalf("%d results, trained on %v, tested on %v", len(c.Results), c.Train, c.Test)
	}
	for i, r := range c.Results {
		if r.Model != models[i] || r.Default != (i == 0) || r.PredictedTimes != 40*150 || !r.TrainingEnded {
			t.Errorf("%+v", r)
		}
		if !(r.PinballLoss90 > 0 && r.CRPS > 0 && r.Coverage90 > 0.5 && r.Coverage90 <= 1) {
			t.Errorf("%+v", r)
		}
	}
}

func TestForecastTrainLimit(t *testing.T) {
	t.Parallel()
	c, err := experiment.Forecast(context.Background(), smallTrace(t), experiment.ForecastOptions{Models: []string{"aquatope-paper"}, TrainLimit: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	if c.Results[0].TrainingEnded || len(c.Notes) == 0 {
		t.Errorf("a cut training is not told: %+v, notes %q", c.Results[0], c.Notes)
	}
}

func TestForecastRefuses(t *testing.T) {
	t.Parallel()
	tr := smallTrace(t)
	if _, err := experiment.Forecast(context.Background(), tr, experiment.ForecastOptions{Models: []string{"crystal-ball"}}); err == nil {
		t.Error("an unknown model is no error")
	}
	tr.Covered = trace.Span{From: 0, To: 30}
	if _, err := experiment.Forecast(context.Background(), tr, experiment.ForecastOptions{}); err == nil {
		t.Error("a trace of half an hour is no error")
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := errors.New("stop")
	cancel(stop)
	if _, err := experiment.Forecast(ctx, smallTrace(t), experiment.ForecastOptions{Models: []string{"hurdle"}}); !errors.Is(err, stop) {
		t.Errorf("cancelled: %v", err)
	}
}
