package tuner

import (
	"math"
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
)

// More CPU may help large inputs more than small ones; and what was met once is
// known less than what was met often.
func TestEffectsOfInputs(t *testing.T) {
	rng := stats.Stream(1, "inputs")
	var e evidence
	for i := range 60 {
		cores := []float64{0.25, 0.5, 1, 2}[i%4]
		input := 1 + i/4%2
		if i == 50 {
			input = 3
		}
		y := -math.Log(cores) + 0.05*rng.NormFloat64()
		if input == 2 {
			y += 1 - 0.4*math.Log(cores)
		}
		e.resources = append(e.resources, function.Resources{CPU: function.MilliCPU(1000 * cores), Memory: function.GiB})
		e.logTime, e.input, e.run = append(e.logTime, y), append(e.input, input), append(e.run, i)
		e.censored = append(e.censored, false)
	}
	effects := fitEffects(&e, []float64{0.5, 0.4, 0.1}, true)
	for _, cores := range []float64{0.25, 2} {
		c := math.Log(cores)
		if got, want := effects.at(1, c)-effects.at(0, c), 1-0.4*c; math.Abs(got-want) > 0.1 {
			t.Errorf("with %v cores the second input takes e^%.3f times as long, want e^%.3f", cores, got, want)
		}
	}
	if often, once := effects.off[0][1], effects.off[0][2]; !(once > 3*often && once < 0.5) {
		t.Errorf("effects are known to %v after 30 runs, to %v after one", often, once)
	}
}
