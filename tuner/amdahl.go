package tuner

import (
	"math"

	"github.com/aquatope/aquatope/gp"
)

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

func (a amdahl) With(p []float64) gp.MeanFunc {
	law := newSpeedLaw(a.unit, p[1], p[2], p[5], p[6])
	v0, steep := law.at(a.middle), math.Exp(p[3])
	last, v := 0.0, v0 // the same CPU often comes again, with another memory
	return func(x, grad []float64) float64 {
		if x[0] != last {
			last, v = x[0], law.at(a.middle+x[0])
		}
		h, m := penalty(x[1], steep, p[4])
		if grad != nil {
			grad[0], grad[1], grad[2], grad[3], grad[4] = 1, v.dOdds-v0.dOdds, v.dLimit-v0.dLimit, h, m
			grad[5], grad[6] = v.dWhole-v0.dWhole, v.dPower-v0.dPower
		}
		return p[0] + v.log - v0.log + h
	}
}

// speedLaw is log(s + (1-s)/cᵖ) for a serial fraction s, effective CPU c and power
// p, over the logarithm of CPU.
type speedLaw struct {
	logUnit, logLimit float64
	serial, power     float64
	whole             float64 // how much only whole units count, 0 to 1
}

func newSpeedLaw(logUnit, logOdds, logLimit, logWhole, logPower float64) speedLaw {
	return speedLaw{logUnit: logUnit, logLimit: logLimit, serial: sigmoid(logOdds), power: math.Exp(logPower), whole: sigmoid(logWhole)}
}

// speed is the value of a speedLaw, with its derivatives with respect to the log odds
// of s, the log of the limit of c, the log odds of whole cores, and the log of p.
type speed struct{ log, dOdds, dLimit, dWhole, dPower float64 }

func (l *speedLaw) at(logCPU float64) speed {
	var rest float64 // what is beyond the last whole unit, in the logarithm
	if units := logCPU - l.logUnit; units > 0 {
		rest = units - math.Log(math.Floor(math.Exp(units)*(1+1e-9)))
	}
	logCPU -= l.whole * rest
	// soft minimum of CPU and limit; limited is its derivative with respect to the limit
	above, limited := softplus((logCPU - l.logLimit) / cpuKnee)
	effective := logCPU - cpuKnee*above
	s, e := l.serial, math.Exp(-l.power*effective)
	t := s + (1-s)*e
	slope := -l.power * (1 - s) * e / t // with respect to effective
	return speed{
		log:    math.Log(t),
		dOdds:  s * (1 - s) * (1 - e) / t,
		dLimit: slope * limited,
		dWhole: slope * (1 - limited) * -rest * l.whole * (1 - l.whole),
		dPower: slope * effective,
	}
}

// penalty returns steep·(m - x)⁺, softened, and its derivative with respect to
// m; that with respect to the logarithm of steep is the value itself.
func penalty(x, steep, m float64) (value, dEnough float64) {
	short, slope := softplus((m - x) / memoryKnee)
	return steep * memoryKnee * short, steep * slope
}

// softplus returns log(1 + exp(x)) and its derivative, the sigmoid of x.
func softplus(x float64) (value, slope float64) {
	e := math.Exp(-math.Abs(x))
	if x < 0 {
		return math.Log1p(e), e / (1 + e)
	}
	return x + math.Log1p(e), 1 / (1 + e)
}

func sigmoid(x float64) float64 {
	if x < 0 {
		e := math.Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-x))
}
