package prior_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/hurdle"
	"github.com/aquatope/aquatope/forecast/prior"
	"gonum.org/v1/gonum/stat/distuv"
)

// The file fits the program, and the model knows the difference between a timer
// that is due, one that is not, and silence.
func TestLoad(t *testing.T) {
	m, err := prior.Load()
	if err != nil {
		t.Fatalf("%v\n  make it anew: go generate ./forecast/prior", err)
	}
	const period, from, to = 10, 1000, 1300 // to is a multiple of the period
	timer, silent := forecast.NewHistory("timer", "", from), forecast.NewHistory("silent", "", from)
	f := m.New()
	var last [][]forecast.Distribution
	active := func(i int) float64 { return 1 - last[i][0].CDF(0) }
	for w := int64(from); w < to; w++ {
		if w%period == 0 {
			if err := timer.Observe(w, 1); err != nil {
				t.Fatal(err)
			}
		}
		timer.Advance(w + 1)
		silent.Advance(w + 1)
		last = f.Forecast([]*forecast.History{timer, silent}, 1)
		for i := range last {
			if p := active(i); math.IsNaN(p) || p < 0 || p > 1 {
				t.Fatalf("window %d: probability %v", w, p)
			}
		}
		if w > to-2*period {
			if due := (w+1)%period == 0; due != (active(0) > 0.5) {
				t.Errorf("window %d: the timer is due: %v, its probability %.2f", w+1, due, active(0))
			}
			if active(1) > 0.1 {
				t.Errorf("window %d: silence has probability %.2f of a call", w+1, active(1))
			}
		}
	}
}

// Half a day of one function is too little to learn from alone: what is learnt on
// from the prior predicts better, and its quantiles mean what they say.
func TestLearnsOnFromLittle(t *testing.T) {
	const half = 720
	for name, rate := range map[string]func(w int) float64{
		"steady": func(int) float64 { return 3 },
		"timer with noise": func(w int) float64 {
			if w%15 == 0 {
				return 4
			}
			return 0.1
		},
	} {
		t.Run(name, func(t *testing.T) {
			counts := make([]float64, 2*half)
			for w := range counts {
				counts[w] = distuv.Poisson{Lambda: rate(w), Src: rand.NewPCG(1, uint64(w))}.Rand()
			}
			past := func() *forecast.History {
				h := forecast.NewHistory("f", "", 0)
				for w, c := range counts[:half] {
					if c > 0 {
						if err := h.Observe(int64(w), c); err != nil {
							t.Fatal(err)
						}
					}
					h.Advance(int64(w) + 1)
				}
				return h
			}
			score := func(l hurdle.Learner) forecast.Score {
				m, err := l.Train([]*forecast.History{past()}, forecast.Budget{}, rand.New(rand.NewPCG(1, 2)))
				if err != nil {
					t.Fatal(err)
				}
				s, err := forecast.Backtest(m.New(), []forecast.Case{{History: past(), Future: counts[half:]}}, nil)
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
			alone, on := score(hurdle.Learner{}), score(prior.Learner())
			t.Logf("pinball loss of the 0.9-quantile %.4f, coverage %.3f; from the data alone %.4f, %.3f",
				on.Pinball90, on.Coverage90, alone.Pinball90, alone.Coverage90)
			if on.Pinball90 >= alone.Pinball90 {
				t.Errorf("pinball loss %.4f, %.4f without the prior", on.Pinball90, alone.Pinball90)
			}
			if on.Coverage90 < 0.86 || on.Coverage90 > 0.94 {
				t.Errorf("coverage of the 0.9-quantile is %.3f", on.Coverage90)
			}
		})
	}
}
