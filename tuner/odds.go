package tuner

import "math"

// odds are the log odds of an outlier over the logarithm of CPU: a line.
type odds struct{ level, slope float64 }

func (o odds) share(cpu float64) float64 { return 1 / (1 + math.Exp(-o.level-o.slope*cpu)) }

// trialled is one invocation at the logarithm of a CPU, with its weight.
type trialled struct {
	cpu, weight float64
	slow        bool
}

// covariance is that of level and slope, as its lower Cholesky factor.
type covariance struct{ a, b, c float64 }

func (c covariance) level() float64 { return c.a }

// at is the variance of the log odds at the logarithm of a CPU.
func (c covariance) at(cpu float64) float64 {
	x := c.a + c.b*cpu
	return x*x + c.c*c.c*cpu*cpu
}

func (c covariance) move(o odds, z, w float64) odds {
	return odds{o.level + c.a*z, o.slope + c.b*z + c.c*w}
}

// logistic fits odds to trials by Newton's method, with normal priors, and returns
// the most likely ones with the covariance of Laplace's approximation.
func logistic(trials []trialled, prior odds, levelSD, slopeSD float64) (odds, covariance) {
	const rounds, longest = 30, 2.0
	o := prior
	var h00, h01, h11 float64
	for range rounds {
		g0, g1 := (prior.level-o.level)/(levelSD*levelSD), (prior.slope-o.slope)/(slopeSD*slopeSD)
		h00, h01, h11 = 1/(levelSD*levelSD), 0, 1/(slopeSD*slopeSD)
		for _, t := range trials {
			p := o.share(t.cpu)
			d := -p
			if t.slow {
				d = 1 - p
			}
			w := t.weight * p * (1 - p)
			g0, g1 = g0+t.weight*d, g1+t.weight*d*t.cpu
			h00, h01, h11 = h00+w, h01+w*t.cpu, h11+w*t.cpu*t.cpu
		}
		det := h00*h11 - h01*h01
		step0, step1 := (h11*g0-h01*g1)/det, (h00*g1-h01*g0)/det
		size := math.Max(1, math.Hypot(step0, step1)/longest)
		o = odds{o.level + step0/size, o.slope + step1/size}
		if math.Hypot(step0, step1) < 1e-9 {
			break
		}
	}
	det := h00*h11 - h01*h01
	a := math.Sqrt(h11 / det)
	b := -h01 / det / a
	return o, covariance{a, b, math.Sqrt(math.Max(h00/det-b*b, 0))}
}
