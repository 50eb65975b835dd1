package tuner

import "math"

// amdahl is a prior mean of the logarithm of service time over the logarithms
// of CPU and memory, both relative to a middle: Amdahl's law up to a largest
// useful CPU, times a penalty below a memory that is enough. Its parallel part
// falls with a power of the CPU that may be less than one, as where threads wait
// for one another. Being a prior it need not be right; what it gets wrong the
// Gaussian process around it learns.
//
// Only whole units of CPU may count, as for programs that start a thread for each
// core, or for every other half.
//
// Its parameters are the log time at the middle with ample memory, the log odds
// of the serial fraction at one core, the log of the largest useful CPU in
// cores, the log of the exponent of the memory penalty, the log of the memory
// that is enough relative to the middle, the log odds of how much only whole
// units count, and the log of the power.
type amdahl struct {
	middle float64 // log of the CPU, in cores, that input 0 is relative to
	unit   float64 // log of the CPU, in cores, of which only whole multiples may count
}

const (
	amdahlParams = 7
	wholeParam   = 5    // of them, the log odds of how much only whole units count
	cpuKnee      = 0.12 // width, in the logarithm, of the bend at the largest useful CPU
	memoryKnee   = 0.15 // of the bend where memory is enough
)

func (amdahl) Len() int { return amdahlParams }

func (a amdahl) At(x, p []float64) float64 {
	v := speed(a.middle+x[0], a.unit, p[1], p[2], p[5], p[6])
	v0 := speed(a.middle, a.unit, p[1], p[2], p[5], p[6])
	h, _ := penalty(x[1], p[3], p[4])
	return p[0] + v.log - v0.log + h
}

func (a amdahl) Grad(x, p, dst []float64) {
	v := speed(a.middle+x[0], a.unit, p[1], p[2], p[5], p[6])
	v0 := speed(a.middle, a.unit, p[1], p[2], p[5], p[6])
	h, m := penalty(x[1], p[3], p[4])
	dst[0], dst[1], dst[2], dst[3], dst[4] = 1, v.dOdds-v0.dOdds, v.dLimit-v0.dLimit, h, m
	dst[5], dst[6] = v.dWhole-v0.dWhole, v.dPower-v0.dPower
}

// speeds is log(s + (1-s)/cᵖ) for a serial fraction s, effective CPU c and power
// p, with its derivatives with respect to the log odds of s, the log of the limit
// of c, the log odds of whole cores, and the log of p.
type speeds struct{ log, dOdds, dLimit, dWhole, dPower float64 }

func speed(logCPU, logUnit, logOdds, logLimit, logWhole, logPower float64) speeds {
	s := sigmoid(logOdds)
	whole := sigmoid(logWhole)
	power := math.Exp(logPower)
	var rest float64 // what is beyond the last whole unit, in the logarithm
	if units := logCPU - logUnit; units > 0 {
		rest = units - math.Log(math.Floor(math.Exp(units)*(1+1e-9)))
	}
	logCPU -= whole * rest
	// soft minimum of CPU and limit
	d := (logCPU - logLimit) / cpuKnee
	effective := logCPU - cpuKnee*softplus(d)
	limited := sigmoid(d) // derivative of effective with respect to the limit
	e := math.Exp(-power * effective)
	t := s + (1-s)*e
	slope := -power * (1 - s) * e / t // with respect to effective
	return speeds{
		log:    math.Log(t),
		dOdds:  s * (1 - s) * (1 - e) / t,
		dLimit: slope * limited,
		dWhole: slope * (1 - limited) * -rest * whole * (1 - whole),
		dPower: slope * effective,
	}
}

// penalty returns exp(a)·(m - x)⁺, softened, and its derivative with respect to
// m; that with respect to a is the value itself.
func penalty(x, a, m float64) (value, dEnough float64) {
	d := (m - x) / memoryKnee
	e := math.Exp(a)
	return e * memoryKnee * softplus(d), e * sigmoid(d)
}

func softplus(x float64) float64 {
	return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
}

func sigmoid(x float64) float64 {
	if x < 0 {
		e := math.Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-x))
}
