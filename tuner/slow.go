package tuner

import (
	"cmp"
	"math"
	"slices"

	"github.com/aquatope/aquatope/gp"
	"github.com/aquatope/aquatope/stats"
)

// slowPart describes the slow one of two kinds of invocations that a function may
// have: say, those that miss a cache. The surface is that of the others.
type slowPart struct {
	share float64 // of invocations; 0 where there is but one kind
	delay float64 // mean distance in the log time
	width float64 // standard deviation of that distance, noise of the others left out
}

const (
	// Fewer points than leastSlow do not make a kind: they are outliers.
	leastSlow = 3
	// splitRounds bounds the turns of telling kinds apart and estimating them.
	splitRounds = 8
	// splitGain is by how much, in the logarithm, two kinds must explain the
	// observations better than one.
	splitGain = 3.0
)

// standing is where a point is, seen from what the others predict.
type standing struct {
	off      float64 // of the log time
	surface  float64 // variance of the prediction
	noise    float64 // variance of the point
	censored bool
}

// standings returns that of every point under a posterior.
func (s *surface) standings(post *gp.Posterior) []standing {
	mean, variance := post.LeaveOneOut()
	out := make([]standing, len(mean))
	for i := range out {
		noise := post.NoiseVariance(s.data.X[i]) / s.points.weight[i]
		total := post.NoiseVariance(s.data.X[i]) / s.data.Weight[i]
		if s.data.Fixed != nil {
			total += s.data.Fixed[i]
		}
		out[i] = standing{s.points.value[i] - mean[i], math.Max(variance[i]-total, 0), noise, s.censored[i]}
	}
	return out
}

// kinds returns which points are slow, as is more likely than not. The noise is
// scale times as large as the surface has it.
func (k slowPart) kinds(at []standing, scale float64) []bool {
	out := make([]bool, len(at))
	for i, a := range at {
		usual := a.surface + scale*a.noise
		out[i] = !a.censored && a.off > 0 && math.Log(k.share)+normalLog(a.off-k.delay, usual+k.width*k.width) >
			math.Log(1-k.share)+normalLog(a.off, usual)
	}
	return out
}

func normalLog(d, variance float64) float64 {
	return -(d*d/variance + math.Log(2*math.Pi*variance)) / 2
}

// estimate returns the slow part of points of which these are slow.
func estimateSlow(at []standing, slow []bool) slowPart {
	var k slowPart
	var off, noise []float64
	for i, a := range at {
		if slow[i] {
			off, noise = append(off, a.off), append(noise, a.surface+a.noise)
		}
	}
	if len(off) == 0 {
		return k
	}
	const vague = 0.15 // width of a kind of which little is known
	n := float64(len(off))
	k.share = n / float64(len(at))
	var mean, sd float64
	mean, sd = stats.Moments(off)
	k.delay = mean
	within, _ := stats.Moments(noise)
	k.width = math.Sqrt((math.Max(sd*sd-within, 0)*(n-1) + vague*vague) / n)
	return k
}

// separate conditions on the points such that the slow ones count as what they
// would be without their delay, as far as that is known.
func (s *surface) separate(p gp.Params, k slowPart, slow []bool) (*gp.Posterior, error) {
	s.data.Y, s.data.Fixed = slices.Clone(s.points.value), make([]float64, len(s.points.value))
	for i := range s.data.Y {
		switch {
		case slow == nil: // not known yet: all are a mixture of both
			s.data.Y[i] -= k.share * k.delay
			s.data.Fixed[i] = k.share * ((1-k.share)*k.delay*k.delay + k.width*k.width)
		case slow[i]:
			s.data.Y[i] -= k.delay
			s.data.Fixed[i] = k.width * k.width
		}
	}
	return s.model.Condition(s.data, p)
}

// tell tells slow points from others, given what the slow part is like.
func (s *surface) tell(p gp.Params, k slowPart) error {
	var slow []bool
	for range splitRounds {
		post, err := s.separate(p, k, slow)
		if err != nil {
			return err
		}
		next := k.kinds(s.standings(post), 1)
		if slices.Equal(next, slow) {
			break
		}
		slow = next
	}
	if _, err := s.separate(p, k, slow); err != nil {
		return err
	}
	s.slow = slow
	return nil
}

// guessSlow looks for two kinds among the points under parameters that know of
// one: the split into a lower and an upper part that leaves least variance.
func guessSlow(at []standing) (k slowPart, slow []bool, scale float64) {
	order := make([]int, 0, len(at))
	for i, a := range at {
		if !a.censored {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(at[i].off, at[j].off) })
	n := len(order)
	squares := func(part []int) float64 {
		var x []float64
		for _, i := range part {
			x = append(x, at[i].off)
		}
		_, sd := stats.Moments(x)
		return sd * sd * float64(len(x)-1)
	}
	all, best, cut := squares(order), math.Inf(1), -1
	for c := (n + 2) / 2; c <= n-leastSlow; c++ {
		if square := squares(order[:c]) + squares(order[c:]); square < best {
			best, cut = square, c
		}
	}
	if cut < 0 {
		return k, nil, 1
	}
	// One normal distribution against two of equal width, for what their shares say.
	share := 1 - float64(cut)/float64(n)
	if gain := math.Log(all/best)/2 + share*math.Log(share) + (1-share)*math.Log(1-share); !(gain > 0) {
		return k, nil, 1
	}
	slow = make([]bool, len(at))
	for _, i := range order[cut:] {
		slow[i] = true
	}
	// Off from the usual ones, not from the mean of both.
	var usual, noise float64
	for _, i := range order[:cut] {
		usual += at[i].off / float64(cut)
		noise += (at[i].noise + at[i].surface) / float64(cut)
	}
	moved := slices.Clone(at)
	var square float64
	for i := range moved {
		moved[i].off -= usual
		if !slow[i] {
			square += moved[i].off * moved[i].off / float64(cut)
		}
	}
	scale = math.Min(square/noise, 1)
	for i := range moved {
		moved[i].surface, moved[i].noise = moved[i].surface*scale, moved[i].noise*scale
	}
	return estimateSlow(moved, slow), slow, scale
}

// fitSlow fits anew with two kinds of invocations told apart, and returns that if
// it explains the observations clearly better than p, which knows of one. The data
// are left as they were conditioned on last with what is returned.
func (s *surface) fitSlow(p gp.Params, options gp.FitOptions) (gp.Params, slowPart, error) {
	if err := s.condition(p, slowPart{}); err != nil {
		return nil, slowPart{}, err
	}
	for _, of := range s.points.of {
		if len(of) > 1 { // a mean of several is of no kind
			return p, slowPart{}, nil
		}
	}
	at := s.standings(s.post.Posterior)
	one := s.explain(p, estimateSlow(at, s.outlier), s.outlier, s.post.Posterior)
	best, kind := p, slowPart{}
	k, slow, scale := guessSlow(at)
	if slow == nil {
		return best, kind, nil
	}
	q := slices.Clone(p)
	noise := s.model.Dim + 1
	q[noise] = math.Max(q[noise]+math.Log(math.Max(scale, 1e-3)), s.model.Lower[noise])
	for range 2 {
		copy(s.data.Weight, s.points.weight)
		if _, err := s.separate(q, k, slow); err != nil {
			return nil, slowPart{}, err
		}
		options.Starts = []gp.Params{q}
		var err error
		if q, _, err = s.model.Fit(s.data, options); err != nil {
			return nil, slowPart{}, err
		}
		if err := s.condition(q, k); err != nil {
			return nil, slowPart{}, err
		}
		slow = slices.Clone(s.slow)
		at = s.standings(s.post.Posterior)
		if k = estimateSlow(at, slow); k.share == 0 {
			break
		}
	}
	if many := countTrue(slow); many >= leastSlow && 2*many <= len(slow) {
		if s.explain(q, k, s.outlier, s.post.Posterior) > one+splitGain {
			best, kind = q, k
		}
	}
	return best, kind, s.condition(best, kind)
}

func countTrue(x []bool) (n int) {
	for _, b := range x {
		if b {
			n++
		}
	}
	return n
}

// explain returns how well the points are explained with some of them taken as
// slow: the evidence of the surface for the usual ones, and the likelihood of the
// others and of their number.
func (s *surface) explain(p gp.Params, k slowPart, slow []bool, post *gp.Posterior) float64 {
	var usual gp.Data
	var sum, many float64
	at := s.standings(post)
	for i := range s.points.value {
		if slow[i] {
			a := at[i]
			sum += normalLog(a.off-k.delay, a.surface+a.noise+k.width*k.width)
			many++
			continue
		}
		usual.X, usual.Y = append(usual.X, s.data.X[i]), append(usual.Y, s.points.value[i])
		usual.Weight = append(usual.Weight, s.points.weight[i])
		usual.Repeats, usual.Scatter = append(usual.Repeats, s.data.Repeats[i]), append(usual.Scatter, s.data.Scatter[i])
	}
	if many > 0 {
		sum -= math.Log(many) // of mean and width
	}
	const hits, misses = 0.5, 9.5
	beta := func(a, b float64) float64 {
		x, _ := math.Lgamma(a)
		y, _ := math.Lgamma(b)
		z, _ := math.Lgamma(a + b)
		return x + y - z
	}
	n := float64(len(s.points.value))
	return sum + s.model.LogPosterior(usual, p, nil) + beta(hits+many, misses+n-many) - beta(hits, misses)
}
