package tuner

import "math/rand/v2"

// ServiceTimes returns what is believed of the service times, in seconds, of
// every function with configuration c: draws times n of them, the first n from
// one draw of the posterior, the next n from another. Within a draw they differ
// by noise, between draws by what is not known. A simulator that is fed with
// them predicts with the uncertainty that is left. It fails where no invocation
// has been observed.
func (s *Structured) ServiceTimes(p *Problem, history []Run, c Configuration, draws, n int, rng *rand.Rand) ([][]float64, error) {
	if err := check(p, history); err != nil {
		return nil, err
	}
	b, err := believe(p, history, &s.memory)
	if err != nil {
		return nil, err
	}
	one := *b
	one.only = c
	menus, err := one.menus(draws, rng)
	if err != nil {
		return nil, err
	}
	sc := one.newScenario(menus, upTo(draws), n, rng)
	out := make([][]float64, len(p.Functions))
	for slot, stage := range b.comp.Slots() {
		if v := b.of[stage]; v < len(out) && out[v] == nil {
			out[v] = make([]float64, draws*n)
			sc.column(slot, v, 0, out[v])
		}
	}
	return out, nil
}
