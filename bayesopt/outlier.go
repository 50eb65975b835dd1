package bayesopt

import (
	"math"

	"github.com/aquatope/aquatope/gp"
)

// OutlierRule says which observations a study drops. The zero value drops none.
// It is applied anew at every fit, as more data can acquit.
type OutlierRule struct {
	// Z is the distance from the leave-one-out prediction, in standard
	// deviations, that is too much. The Aquatope paper's 95 % interval is 1.96
	// and drops one good observation in twenty; 3 drops one in 370.
	Z float64
	// OnePass judges all observations at once, as the paper does, instead of
	// taking out the worst and judging the rest again.
	OnePass bool
}

// find returns the outliers among the observations y of p.
func (r OutlierRule) find(p *gp.Posterior, y []float64) []bool {
	if !r.OnePass {
		return p.Outliers(r.Z)
	}
	mean, variance := p.LeaveOneOut()
	out := make([]bool, len(y))
	for i := range y {
		out[i] = math.Abs(y[i]-mean[i]) > r.Z*math.Sqrt(variance[i])
	}
	return out
}
