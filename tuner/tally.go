package tuner

import "math"

// tally counts invocations, and the outliers among them, near each CPU: a curve
// over a grid, since it is asked for every option of every function.
type tally struct {
	lo, step   float64
	seen, hits []float64
}

const tallyPoints = 25

func newTally(lo, hi float64) *tally {
	return &tally{
		lo: lo, step: math.Max(hi-lo, 1e-9) / (tallyPoints - 1),
		seen: make([]float64, tallyPoints), hits: make([]float64, tallyPoints),
	}
}

func (t *tally) add(cpu float64, hit bool) {
	for k := range t.seen {
		d := (t.lo + float64(k)*t.step - cpu) / nearCPU
		w := math.Exp(-d * d / 2)
		t.seen[k] += w
		if hit {
			t.hits[k] += w
		}
	}
}

func (t *tally) merge(o *tally) {
	for k := range t.seen {
		t.seen[k] += o.seen[k]
		t.hits[k] += o.hits[k]
	}
}

// at returns what is counted near a CPU, the nearest end outside of the grid.
func (t *tally) at(cpu float64) (seen, hits float64) {
	h := math.Min(math.Max((cpu-t.lo)/t.step, 0), tallyPoints-1)
	k := min(int(h), tallyPoints-2)
	a := h - float64(k)
	return (1-a)*t.seen[k] + a*t.seen[k+1], (1-a)*t.hits[k] + a*t.hits[k+1]
}
