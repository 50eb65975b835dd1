package profile

import (
	"math/rand/v2"

	"github.com/aquatope/aquatope/workflow"
)

// Sample returns the latencies, in seconds, of n runs in which every function
// has the largest resources of its space.
func (m *Model) Sample(n int, rng *rand.Rand) ([]float64, error) {
	c, err := workflow.NewComposition(m.Graph)
	if err != nil {
		return nil, err
	}
	service, uniform := make([]float64, len(c.Slots())), make([]float64, c.Uniforms())
	out := make([]float64, n)
	for i := range out {
		input := m.InputAt(rng.Float64())
		c.Fill(service, uniform, func(stage int) float64 {
			f := m.Function(m.Graph.Stages[stage].Function)
			s := f.Of(input, f.Space.Largest())
			return s.Quantile(rng.Float64())
		}, rng)
		out[i] = c.Of(input).Latency(service, uniform)
	}
	return out, nil
}
