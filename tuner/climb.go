package tuner

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/aquatope/aquatope/gp"
)

// climb looks which functions are of stairs, and replaces as many of the explanations of
// each as that is likely, the best too if it is more likely than not. How many functions
// are is learnt from all of them.
func climb(surfaces []*surface, best []fitted, rng *rand.Rand) error {
	all, odds := make([]*stairs, len(surfaces)), make([]float64, len(surfaces))
	var known float64
	for v, s := range surfaces {
		if s != nil && !s.fixed && len(s.data.Y) >= fewestStairs {
			st, log := s.weigh(best[v].best)
			if !math.IsNaN(log) { // as where a covariance cannot be factorised
				all[v], odds[v] = st, log
				known++
			}
		}
	}
	share := 0.5
	for range shareRounds {
		sum := 1.0
		for v, st := range all {
			if st != nil {
				sum += sigmoid(odds[v] + math.Log(share/(1-share)))
			}
		}
		share = sum / (2 + known)
	}
	for v, st := range all {
		if st == nil {
			continue
		}
		n := int(math.Round(explanations * sigmoid(odds[v]+math.Log(share/(1-share)))))
		if err := surfaces[v].step(st, best[v].best.params, n, rng); err != nil {
			return err
		}
	}
	return nil
}

// weigh sums up the explanation by stairs and returns how much more likely it is than
// the best other one, in the logarithm.
func (s *surface) weigh(best explanation) (st *stairs, odds float64) {
	s.counts(best.unit)
	smooth := likely(best.unit) + s.model.LogLikelihood(s.data, best.params, nil)
	s.counts(0)
	st = s.newStairs(s.data, best.params)
	if misfits := countTrue(s.outlier) - countTrue(s.slow); misfits > 0 { // they may be a step
		smooth += outlierLog * float64(misfits)
		st.log += outlierLog * float64(misfits)
		all := s.data
		all.Weight = s.points.weight
		if with := s.newStairs(all, best.params); with.log > st.log {
			st = with
		}
	}
	return st, st.log + s.unsure(st, best.params) - smooth
}

// step makes n explanations those of stairs.
func (s *surface) step(st *stairs, p gp.Params, n int, rng *rand.Rand) error {
	if n == 0 {
		return nil
	}
	s.counts(0)
	cut, noise := st.likeliest()
	likeliest, err := s.flat(&st.data, p, cut, noise)
	if err != nil {
		return err
	}
	out := likeliest.Outliers(outlierZ)
	for i := range out {
		if out[i] {
			st.data.Weight[i] = s.points.weight[i] * outlierWeight
		}
	}
	s.kinds = slices.Repeat([]view{s.post}, explanations-n)
	for k := range n {
		cut, noise := st.draw(rng)
		v, err := s.flat(&st.data, p, cut, noise)
		if err != nil {
			return err
		}
		s.others[k*explanations/n] = v
		s.kinds = append(s.kinds, v)
	}
	if 2*n > explanations {
		s.data.Weight = st.data.Weight
		for i := range out {
			s.outlier[i] = out[i] || s.slow != nil && s.slow[i]
		}
		s.post, err = s.flat(&st.data, p, cut, noise)
	}
	return err
}

// unsure is how much less likely the data are, in the logarithm, for what is not known
// of the law that heights lie around.
func (s *surface) unsure(st *stairs, p gp.Params) float64 {
	cut, noise := st.likeliest()
	_, data, q := s.cut(&st.data, p, cut, noise)
	known := *s.model
	known.Linearise = false
	return s.model.LogLikelihood(data, q, nil) - known.LogLikelihood(data, q, nil)
}

// cut returns data and parameters for these pieces.
func (s *surface) cut(d *gp.Data, p gp.Params, cut pieces, noise float64) (view, gp.Data, gp.Params) {
	v := view{pieces: cut}
	own := *d
	own.X = v.inputs(d.X)
	q := slices.Clone(p)
	q[0], q[s.model.Dim], q[s.model.Dim+1] = farApart, 2*math.Log(height), q[s.model.Dim+1]+math.Log(noise)
	return v, own, q
}

// flat conditions on the data with these pieces.
func (s *surface) flat(d *gp.Data, p gp.Params, cut pieces, noise float64) (view, error) {
	v, data, q := s.cut(d, p, cut, noise)
	var err error
	if v.Posterior, err = s.model.Condition(data, q); err != nil {
		return v, fmt.Errorf("conditioning on service times: %w", err)
	}
	return v, nil
}
