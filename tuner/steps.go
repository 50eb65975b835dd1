package tuner

import (
	"cmp"
	"math"
	"slices"

	"github.com/aquatope/aquatope/gp"
)

// explanation is parameters of a surface and the unit of CPU, in cores, of which
// only whole multiples count; 0 where a part of one counts, too.
type explanation struct {
	params gp.Params
	unit   float64
}

// units are those that are thought of: whole cores, as for programs that start a
// thread for each, and what quotas and pairs of hardware threads make of them.
var units = []float64{0, 1, 0.5, 1.5, 2}

const (
	// stepOdds and unitOdds are the log odds against a function that counts whole
	// units, and that this is not a core.
	stepOdds, unitOdds = 2, 0.7
	// hopeless is how much less likely, in the logarithm, a guess at an explanation
	// may look than the best that is known for it to be fitted.
	hopeless = 6
)

// likely is the logarithm of how likely a unit is thought to be.
func likely(unit float64) float64 {
	switch unit {
	case 0:
		return 0
	case 1:
		return -stepOdds
	}
	return -stepOdds - unitOdds
}

// counts sets the unit, of a model of its own: posteriors keep theirs.
func (s *surface) counts(unit float64) {
	a, ok := s.model.Mean.(amdahl)
	if !ok {
		return
	}
	m := *s.model
	m.Priors, m.Lower, m.Upper = slices.Clone(m.Priors), slices.Clone(m.Lower), slices.Clone(m.Upper)
	k := s.whole()
	whole := wholeOf(unit)
	m.Priors[k], m.Lower[k], m.Upper[k] = whole.prior, whole.lower, whole.upper
	if a.unit = 0; unit > 0 {
		a.unit = math.Log(unit)
	}
	m.Mean = a
	s.model = &m
}

// whole is which parameter of the model says how much only whole units count, as
// log odds.
func (s *surface) whole() int { return s.model.NumParams() - amdahlParams + wholeParam }

// wholeOf is what is believed of that parameter where a unit counts.
func wholeOf(unit float64) believed {
	if unit == 0 {
		return believed{gp.Normal{Mean: -2.5, SD: 1.5}, -6, 5}
	}
	return believed{gp.Normal{Mean: 3, SD: 1}, 2, 5}
}

// believed is what is known of a parameter beforehand.
type believed struct {
	prior        gp.Normal
	lower, upper float64
}

// mode is an explanation with the logarithm of how likely it is, but for a constant.
type mode struct {
	explanation
	log float64
}

// modes looks for other explanations of the data than the one that was fitted: with
// few data that time falls in steps, of one unit or another, may be about as likely
// as that it does not. All are drawn from by how likely they are.
func (s *surface) modes(from explanation, options gp.FitOptions, seed uint64) (fitted, error) {
	modes := []mode{{from, likely(from.unit) + s.model.LogPosterior(s.data, from.params, nil)}}
	best := modes[0].log
	for _, unit := range units {
		if s.fixed || unit == from.unit {
			continue
		}
		s.counts(unit)
		guess := slices.Clone(from.params)
		guess[s.whole()] = wholeOf(unit).prior.Mean
		if likely(unit)+s.model.LogPosterior(s.data, guess, nil) < best-hopeless {
			continue
		}
		options.Starts = []gp.Params{guess}
		p, log, err := s.model.Fit(s.data, options)
		if err != nil {
			return fitted{}, err
		}
		modes = append(modes, mode{explanation{p, unit}, log + likely(unit)})
		best = max(best, log+likely(unit))
	}
	slices.SortStableFunc(modes, func(a, b mode) int { return cmp.Compare(b.log, a.log) })
	var total, sum float64
	for _, m := range modes {
		total += math.Exp(m.log - best)
	}
	out := fitted{best: modes[0].explanation}
	for _, m := range modes {
		sum += math.Exp(m.log - best)
		n := int(math.Round(explanations*sum/total)) - len(out.around)
		if n == 0 {
			continue
		}
		s.counts(m.unit)
		around, err := s.around(m.params, n, seed)
		if err != nil {
			return fitted{}, err
		}
		for _, p := range around {
			out.around = append(out.around, explanation{p, m.unit})
		}
	}
	return out, nil
}
