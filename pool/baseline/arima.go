package baseline

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// The orders that are tried; idle times beyond four hours are few, and a model
// of more parameters would fit noise.
const (
	maxAR, maxDiff, maxMA = 2, 1, 1
	minARIMA              = 4 // values needed
)

// forecastARIMA predicts the next value of a series by the ARIMA(p, d, q) model
// with the lowest corrected Akaike criterion, fitted by the two-stage
// regression of Hannan and Rissanen (1982): residuals of a long autoregression
// stand in for the innovations. It reports false when the series is too short.
func forecastARIMA(x []float64) (float64, bool) {
	if len(x) < minARIMA {
		return 0, false
	}
	best, bestScore, found := 0.0, math.Inf(1), false
	for d := 0; d <= maxDiff; d++ {
		y := x
		for range d {
			y = difference(y)
		}
		for p := 0; p <= maxAR; p++ {
			for q := 0; q <= maxMA; q++ {
				next, score, ok := fitARMA(y, p, q)
				if !ok || score >= bestScore {
					continue
				}
				if d == 1 {
					next += x[len(x)-1]
				}
				best, bestScore, found = next, score, true
			}
		}
	}
	return best, found
}

func difference(x []float64) []float64 {
	y := make([]float64, len(x)-1)
	for i := range y {
		y[i] = x[i+1] - x[i]
	}
	return y
}

// fitARMA fits y_t = c + sum a_i y_(t-i) + sum b_j e_(t-j) + e_t and returns the
// next value and the criterion per observation, so that different lengths compare.
func fitARMA(y []float64, p, q int) (next, score float64, ok bool) {
	innovations := make([]float64, len(y))
	if q > 0 {
		long := p + q + 1
		coef, ok := regress(y, nil, long, 0)
		if !ok {
			return 0, 0, false
		}
		for t := long; t < len(y); t++ {
			innovations[t] = y[t] - predict(y, nil, coef, t, long, 0)
		}
	}
	coef, ok := regress(y, innovations, p, q)
	if !ok {
		return 0, 0, false
	}
	var squares float64
	first := max(p, q)
	n := float64(len(y) - first)
	for t := first; t < len(y); t++ {
		e := y[t] - predict(y, innovations, coef, t, p, q)
		squares += e * e
	}
	k := float64(p + q + 2) // with the constant and the variance
	if n-k-1 <= 0 {
		return 0, 0, false
	}
	score = math.Log(squares/n+1e-9) + 2*k/n + 2*k*(k+1)/(n*(n-k-1))
	next = predict(y, innovations, coef, len(y), p, q)
	return next, score, !math.IsNaN(next) && !math.IsInf(next, 0)
}

// predict returns the value that the model expects at t.
func predict(y, e, coef []float64, t, p, q int) float64 {
	v := coef[0]
	for i := 1; i <= p; i++ {
		v += coef[i] * y[t-i]
	}
	for j := 1; j <= q; j++ {
		v += coef[p+j] * e[t-j]
	}
	return v
}

// regress solves the least squares of y on its p lags and q lags of e.
func regress(y, e []float64, p, q int) ([]float64, bool) {
	first, k := max(p, q), 1+p+q
	n := len(y) - first
	if n < k {
		return nil, false
	}
	a, b := mat.NewDense(n, k, nil), mat.NewVecDense(n, nil)
	for r := range n {
		t := first + r
		b.SetVec(r, y[t])
		a.Set(r, 0, 1)
		for i := 1; i <= p; i++ {
			a.Set(r, i, y[t-i])
		}
		for j := 1; j <= q; j++ {
			a.Set(r, p+j, e[t-j])
		}
	}
	var x mat.VecDense
	if err := x.SolveVec(a, b); err != nil {
		return nil, false
	}
	return x.RawVector().Data, true
}
