package tuner

import "math/rand/v2"

// ServiceTimes returns what is believed of the service times, in seconds, of
// every function with configuration c: draws times n of them, the first n from
// one draw of the posterior, the next n from another. Within a draw they differ
// by noise and by the input of the run, between draws by what is not known. A
// simulator that is fed with them predicts with the uncertainty that is left.
// Inputs tells of each of the n which of Problem.Inputs it belongs to, counted
// from 0, -1 where there is but one: all functions of a run have the same. It
// fails where no invocation has been observed.
func (s *Structured) ServiceTimes(p *Problem, history []Run, c Configuration, draws, n int, rng *rand.Rand) (times [][]float64, inputs []int, err error) {
	if err := check(p, history); err != nil {
		return nil, nil, err
	}
	b, err := believe(p, history, &s.memory)
	if err != nil {
		return nil, nil, err
	}
	one := *b
	one.only = c
	menus, err := one.menus(draws, rng)
	if err != nil {
		return nil, nil, err
	}
	sc := one.newScenario(menus, upTo(draws), n, rng)
	times = make([][]float64, len(p.Functions))
	for slot, stage := range b.comp.Slots() {
		if v := b.of[stage]; v < len(times) && times[v] == nil {
			times[v] = make([]float64, draws*n)
			sc.column(slot, v, 0, times[v])
		}
	}
	return times, sc.input, nil
}
