package tuner

import (
	"math"
	"slices"
)

// points are the observations of one variable as its surface takes them in: the
// invocations of a run that had the same resources are one point, their mean and
// their scatter, which says the same and keeps a stage that runs a hundred times
// in a run from filling the model.
type points struct {
	of      [][]int   // the invocations of each point, indices into the evidence
	value   []float64 // mean log time
	weight  []float64 // of the mean, in observations
	scatter []float64 // sum of squared deviations from the mean
	size    []float64 // of the noise, see evidence.size; weight and scatter are relative to it
}

const (
	// sameRun is the correlation of the noise of invocations in the same run
	// that cannot be ruled out, say as the machine was busy: so many of them are
	// not worth as many runs.
	sameRun = 0.05
	// apart is how many standard deviations, taken from the median absolute one,
	// an invocation may be from the median of its run. Beyond, it is a point by
	// itself, so that it can be found to be an outlier.
	apart = 3.5
)

// gatherPoints groups the evidence by run, and keeps the newest.
func gatherPoints(e evidence, most int) points {
	scale := 1.4826 * runDeviation(e)
	var p points
	add := func(of []int) {
		n := float64(len(of))
		var mean, scatter float64
		for _, i := range of {
			mean += e.logTime[i] / n
		}
		for _, i := range of {
			scatter += (e.logTime[i] - mean) * (e.logTime[i] - mean)
		}
		size := e.size(of[0])
		p.of, p.value, p.size = append(p.of, of), append(p.value, mean), append(p.size, size)
		p.scatter = append(p.scatter, scatter/(size*size))
		p.weight = append(p.weight, n/(1+sameRun*(n-1))/(size*size))
	}
	for _, run := range e.runs() {
		middle := e.median(run)
		var together []int
		for _, i := range run {
			if e.censored[i] || math.Abs(e.logTime[i]-middle) > apart*scale && len(run) > 2 {
				add([]int{i})
			} else {
				together = append(together, i)
			}
		}
		if len(together) > 0 {
			add(together)
		}
	}
	if drop := len(p.of) - most; drop > 0 {
		p.of, p.value, p.size = p.of[drop:], p.value[drop:], p.size[drop:]
		p.weight, p.scatter = p.weight[drop:], p.scatter[drop:]
	}
	return p
}

// runs returns the indices of the invocations of each run, in order.
func (e evidence) runs() [][]int {
	var out [][]int
	for i := range e.run {
		if i == 0 || e.run[i] != e.run[i-1] {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], i)
	}
	return out
}

func (e evidence) median(of []int) float64 {
	var x []float64
	for _, i := range of {
		x = append(x, e.logTime[i])
	}
	slices.Sort(x)
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}

// runDeviation returns the median absolute deviation of invocations from the
// median of their run, over the runs with several.
func runDeviation(e evidence) float64 {
	var d []float64
	for _, run := range e.runs() {
		if len(run) < 3 {
			continue
		}
		middle := e.median(run)
		for _, i := range run {
			d = append(d, math.Abs(e.logTime[i]-middle))
		}
	}
	if len(d) == 0 {
		return math.Inf(1)
	}
	slices.Sort(d)
	return d[len(d)/2]
}
