package tuner

import "math/rand/v2"

// Predict returns what is believed of configuration c, whatever the strategy
// would recommend. It fails where no invocation has been observed.
func (s *Structured) Predict(p *Problem, history []Run, c Configuration, rng *rand.Rand) (Result, error) {
	if err := check(p, history); err != nil {
		return Result{}, err
	}
	b, err := believe(p, history, &s.memory)
	if err != nil {
		return Result{}, err
	}
	one := *b
	one.only = c
	menus, err := one.menus(fineDraws, rng)
	if err != nil {
		return Result{}, err
	}
	sc := one.newScenario(menus, upTo(fineDraws), fineRuns, rng)
	sp := sc.space(caution)
	choice := make([]int, len(menus))
	return one.result(sc, sp, choice, sp.Value(choice)), nil
}
