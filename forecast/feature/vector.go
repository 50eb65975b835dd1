package feature

import (
	"sync"

	"github.com/aquatope/aquatope/forecast"
)

// vector collects features, and their names when asked to.
type vector struct {
	x     []float32
	names []string
	named bool
}

// add appends a feature; what is not a finite number becomes 0.
func (v *vector) add(name string, x float64) {
	if x-x != 0 {
		x = 0
	}
	v.x = append(v.x, float32(x))
	if v.named {
		v.names = append(v.names, name)
	}
}

// Names returns the names of the features in their order.
var Names = sync.OnceValue(func() []string {
	v := vector{named: true}
	NewTracker().write(&v, forecast.NewHistory("", "", 0), 0)
	return v.names
})
