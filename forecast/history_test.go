package forecast_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/forecast"
)

// TestHistoryAgainstDense compares every query with a plain slice of counts.
func TestHistoryAgainstDense(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Int64Range(-5000, 5000).Draw(t, "start")
		dense := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 0, 0, 1, 2, 7.5}), 0, 80).Draw(t, "counts")
		h := forecast.NewHistory("f", "", start)
		for i, c := range dense {
			if c == 0 && rapid.Bool().Draw(t, "skip") {
				continue
			}
			if err := h.Observe(start+int64(i), c); err != nil {
				t.Fatal(err)
			}
		}
		end := start + int64(len(dense))
		h.Advance(end)
		if h.Len() != len(dense) || h.Next() != end || h.Start() != start {
			t.Fatalf("len %d, next %d, start %d", h.Len(), h.Next(), h.Start())
		}
		from := rapid.Int64Range(start-3, end+3).Draw(t, "from")
		to := rapid.Int64Range(from, end+5).Draw(t, "to")
		sum, active := 0.0, 0
		for i, c := range dense {
			w := start + int64(i)
			if h.At(w) != c {
				t.Fatalf("At(%d) = %v, want %v", w, h.At(w), c)
			}
			if w >= from && w < to {
				sum += c
				if c > 0 {
					active++
				}
			}
		}
		if h.Sum(from, to) != sum || h.ActiveIn(from, to) != active {
			t.Fatalf("[%d, %d): sum %v, active %d; want %v, %d", from, to, h.Sum(from, to), h.ActiveIn(from, to), sum, active)
		}
		n := rapid.IntRange(0, 100).Draw(t, "n")
		got := h.Dense(nil, n)
		for i := range got {
			if got[i] != dense[len(dense)-len(got)+i] {
				t.Fatalf("Dense(%d) = %v of %v", n, got, dense)
			}
		}
	})
}

func TestHistoryForgets(t *testing.T) {
	t.Parallel()
	h := forecast.NewHistory("f", "", 0)
	for w := range int64(3 * forecast.Retention) {
		if err := h.Observe(w, 1); err != nil {
			t.Fatal(err)
		}
	}
	if h.Active() > forecast.Retention*5/4+1 || h.Len() < forecast.Retention {
		t.Errorf("keeps %d of %d windows, Retention is %d", h.Active(), h.Len(), forecast.Retention)
	}
	if got := h.Sum(h.Next()-100, h.Next()); got != 100 {
		t.Errorf("sum of the last 100 windows is %v", got)
	}
}

func TestHistoryRefuses(t *testing.T) {
	t.Parallel()
	h := forecast.NewHistory("f", "", 10)
	if err := h.Observe(12, 3); err != nil {
		t.Fatal(err)
	}
	if err := h.Observe(12, 1); !errors.Is(err, forecast.ErrPast) {
		t.Errorf("a closed window: %v", err)
	}
	for _, c := range []float64{math.NaN(), -1, math.Inf(1), 2 * forecast.MaxDemand} {
		if err := h.Observe(13, c); err == nil {
			t.Errorf("count %v was accepted", c)
		}
	}
	if h.Next() != 13 || h.Sum(0, 100) != 3 {
		t.Errorf("refused observations changed the history: next %d, sum %v", h.Next(), h.Sum(0, 100))
	}
}
