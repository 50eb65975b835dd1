// Package minimise finds minima of smooth functions over a box. It exists
// because gonum's optimisers know no bounds, and both the likelihood of a
// Gaussian process and an acquisition function need them.
package minimise

import "math"

// Func is an objective: it returns the value at x and writes the gradient into
// grad. A value that is NaN or +Inf marks x as outside of the domain; the
// search then turns back.
type Func func(x, grad []float64) float64

// Options bounds the work of a search. Zero values take the defaults.
type Options struct {
	Iterations int     // steps at most; 100
	Gradient   float64 // stop when no component of the projected gradient exceeds it; 1e-6
	Change     float64 // stop when a step improves by less than this share of the value; 1e-10
	History    int     // pairs that approximate the curvature; 8
}

func (o Options) withDefaults() Options {
	if o.Iterations == 0 {
		o.Iterations = 100
	}
	if o.Gradient == 0 {
		o.Gradient = 1e-6
	}
	if o.Change == 0 {
		o.Change = 1e-10
	}
	if o.History == 0 {
		o.History = 8
	}
	return o
}

// Result is where a search ended.
type Result struct {
	X           []float64
	Value       float64
	Iterations  int
	Evaluations int
}

// Box minimises f over lower <= x <= upper from start by the projected
// limited-memory BFGS method: the two-loop recursion of Nocedal (1980) over the
// variables that are not held at a bound, and a backtracking search along the
// projected path (Bertsekas, 1982). Bounds may be infinite. It panics if the
// lengths differ. The result is never worse than start; if f is not finite at
// start, start is returned as it is.
func Box(f Func, start, lower, upper []float64, opt Options) Result {
	n := len(start)
	if len(lower) != n || len(upper) != n {
		panic("minimise: lengths differ")
	}
	opt = opt.withDefaults()
	s := &search{f: f, lower: lower, upper: upper, memory: opt.History}
	x := make([]float64, n)
	for i := range x {
		x[i] = clamp(start[i], lower[i], upper[i])
	}
	g := make([]float64, n)
	v := s.evaluate(x, g)
	res := Result{X: x, Value: v}
	if !finite(v, g) {
		res.Evaluations = s.evaluations
		return res
	}
	for res.Iterations < opt.Iterations {
		free := s.free(x, g)
		if s.projected(x, g) <= opt.Gradient {
			break
		}
		d := s.direction(g, free)
		nx, ng, nv, ok := s.lineSearch(x, g, v, d)
		if !ok && len(s.pairs) > 0 { // the curvature misled: forget it and descend steeply
			s.pairs = s.pairs[:0]
			nx, ng, nv, ok = s.lineSearch(x, g, v, s.direction(g, free))
		}
		if !ok {
			break
		}
		res.Iterations++
		s.remember(x, nx, g, ng)
		done := v-nv <= opt.Change*math.Max(1, math.Abs(v))
		x, g, v = nx, ng, nv
		if done {
			break
		}
	}
	res.X, res.Value, res.Evaluations = x, v, s.evaluations
	return res
}

type pair struct {
	s, y []float64
	rho  float64
}

type search struct {
	f            Func
	lower, upper []float64
	memory       int
	pairs        []pair
	evaluations  int
}

func (s *search) evaluate(x, g []float64) float64 {
	s.evaluations++
	return s.f(x, g)
}

// free tells which variables may move: those not at a bound that the gradient
// pushes against.
func (s *search) free(x, g []float64) []bool {
	free := make([]bool, len(x))
	for i := range x {
		free[i] = !(x[i] <= s.lower[i] && g[i] > 0 || x[i] >= s.upper[i] && g[i] < 0)
	}
	return free
}

// projected returns the largest move that a unit step of steepest descent would make.
func (s *search) projected(x, g []float64) float64 {
	var m float64
	for i := range x {
		m = math.Max(m, math.Abs(clamp(x[i]-g[i], s.lower[i], s.upper[i])-x[i]))
	}
	return m
}

// direction returns the quasi-Newton direction in the free variables.
func (s *search) direction(g []float64, free []bool) []float64 {
	d := make([]float64, len(g))
	for i := range g {
		if free[i] {
			d[i] = -g[i]
		}
	}
	if len(s.pairs) == 0 {
		// The first step has no idea of scale: do not leave the neighbourhood.
		if norm := math.Sqrt(dot(d, d, free)); norm > 1 {
			for i := range d {
				d[i] /= norm
			}
		}
		return d
	}
	alpha := make([]float64, len(s.pairs))
	for k := len(s.pairs) - 1; k >= 0; k-- {
		p := s.pairs[k]
		alpha[k] = p.rho * dot(p.s, d, free)
		axpy(-alpha[k], p.y, d, free)
	}
	last := s.pairs[len(s.pairs)-1]
	if yy := dot(last.y, last.y, free); yy > 0 {
		if scale := dot(last.s, last.y, free) / yy; scale > 0 {
			for i := range d {
				d[i] *= scale
			}
		}
	}
	for k, p := range s.pairs {
		beta := p.rho * dot(p.y, d, free)
		axpy(alpha[k]-beta, p.s, d, free)
	}
	if dot(d, g, free) >= 0 { // not a descent direction once variables are held
		for i := range g {
			d[i] = 0
			if free[i] {
				d[i] = -g[i]
			}
		}
	}
	return d
}

// lineSearch backtracks along the projection of x + t*d until the value falls
// by a fraction of what the gradient promises.
func (s *search) lineSearch(x, g []float64, v float64, d []float64) (nx, ng []float64, nv float64, ok bool) {
	const decrease, shrink, tries = 1e-4, 0.4, 25
	nx, ng = make([]float64, len(x)), make([]float64, len(x))
	for t, try := 1.0, 0; try < tries; t, try = t*shrink, try+1 {
		var slope float64
		for i := range x {
			nx[i] = clamp(x[i]+t*d[i], s.lower[i], s.upper[i])
			slope += g[i] * (nx[i] - x[i])
		}
		if slope >= 0 {
			return nil, nil, 0, false
		}
		nv = s.evaluate(nx, ng)
		if finite(nv, ng) && nv <= v+decrease*slope {
			return nx, ng, nv, true
		}
	}
	return nil, nil, 0, false
}

func (s *search) remember(x, nx, g, ng []float64) {
	p := pair{s: make([]float64, len(x)), y: make([]float64, len(x))}
	var sy, yy float64
	for i := range x {
		p.s[i], p.y[i] = nx[i]-x[i], ng[i]-g[i]
		sy += p.s[i] * p.y[i]
		yy += p.y[i] * p.y[i]
	}
	if sy <= 1e-10*yy {
		return // no positive curvature: the pair would spoil the approximation
	}
	p.rho = 1 / sy
	if len(s.pairs) == s.memory {
		copy(s.pairs, s.pairs[1:])
		s.pairs = s.pairs[:len(s.pairs)-1]
	}
	s.pairs = append(s.pairs, p)
}

func clamp(v, lo, hi float64) float64 { return math.Min(math.Max(v, lo), hi) }

func finite(v float64, g []float64) bool {
	for _, gi := range g {
		v += 0 * gi // turns into NaN unless gi is finite
	}
	return !math.IsNaN(v) && !math.IsInf(v, 0)
}

func dot(a, b []float64, free []bool) float64 {
	var sum float64
	for i := range a {
		if free[i] {
			sum += a[i] * b[i]
		}
	}
	return sum
}

func axpy(c float64, a, dst []float64, free []bool) {
	for i := range a {
		if free[i] {
			dst[i] += c * a[i]
		}
	}
}
