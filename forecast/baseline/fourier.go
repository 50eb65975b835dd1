package baseline

import (
	"math"
	"math/cmplx"

	"gonum.org/v1/gonum/dsp/fourier"

	"github.com/aquatope/aquatope/forecast"
)

// IceBreaker's parameters: windows looked at and harmonics kept.
const fourierWindow, harmonics = 60, 10

// Fourier extrapolates as IceBreaker does (Roy et al., ASPLOS 2022): the last
// 60 windows, less their linear trend, are decomposed into harmonics, the ten
// lowest are continued and the trend is added back. The result is rounded to
// a whole number and not negative.
func Fourier() forecast.Learner {
	return model{"icebreaker-fft", func() point { return &harmonic{fft: fourier.NewFFT(fourierWindow)} }}
}

type harmonic struct {
	fft  *fourier.FFT
	last [fourierWindow]float64
	n    int

	// Of the windows up to fitted: trend and coefficients.
	fitted           int
	intercept, slope float64
	coefficients     []complex128
}

func (p *harmonic) observe(c float64) {
	p.last[p.n%fourierWindow] = c
	p.n++
}

func (p *harmonic) predict(k int) float64 {
	if p.n < fourierWindow {
		if p.n == 0 {
			return 0
		}
		return p.last[p.n-1]
	}
	if p.fitted != p.n {
		p.fit()
	}
	// Step fourierWindow-1+k of the extrapolated window.
	x := float64(fourierWindow - 1 + k)
	v := p.intercept + p.slope*x + real(p.coefficients[0])/fourierWindow
	for i := 1; i <= harmonics; i++ {
		angle := 2 * math.Pi * float64(i) * x / fourierWindow
		v += 2 * real(p.coefficients[i]*cmplx.Rect(1, angle)) / fourierWindow
	}
	return max(math.Round(v), 0)
}

func (p *harmonic) fit() {
	p.fitted = p.n
	var y [fourierWindow]float64
	const mid = (fourierWindow - 1) / 2.0
	var mean, cross, square float64
	for i := range y {
		y[i] = p.last[(p.n+i)%fourierWindow]
		mean += y[i] / fourierWindow
		cross += (float64(i) - mid) * y[i]
		square += (float64(i) - mid) * (float64(i) - mid)
	}
	p.slope = cross / square
	p.intercept = mean - p.slope*mid
	for i := range y {
		y[i] -= p.intercept + p.slope*float64(i)
	}
	p.coefficients = p.fft.Coefficients(p.coefficients, y[:])
}
