package workflow

import "encoding/json"

// Branching is what has been measured of the ways that runs take, keyed by
// Task.Path. What is absent is assumed: the zero value is a workflow of which
// nothing has been measured.
type Branching struct {
	// Cases holds, for a switch, the relative weight of each case in order,
	// then of no case matching where it has no default. Assumed: all equal.
	Cases map[string][]float64
	// Runs holds, for a task with an if, the probability that it runs. Assumed: 1.
	Runs map[string]float64
	// Iterations holds, for a for, the mean number of its iterations. Assumed:
	// the length of a literal list, else 1.
	Iterations map[string]float64
	// Attempts holds, for a try with a retry, the mean number of its attempts,
	// at least 1. Assumed: 1.
	Attempts map[string]float64
	// Errors holds, for a try, the probability that an error reaches the tasks
	// of its catch. Assumed: 0.
	Errors map[string]float64
}

// cases returns the probabilities of n ways out of the switch at path.
func (b Branching) cases(path string, n int) []float64 {
	p := make([]float64, n)
	sum := 0.0
	for i, w := range b.Cases[path] {
		if i < n && w > 0 {
			p[i] = w
			sum += w
		}
	}
	for i := range p {
		if sum > 0 {
			p[i] /= sum
		} else {
			p[i] = 1 / float64(n)
		}
	}
	return p
}

func (b Branching) runs(path string) float64 {
	if p, ok := b.Runs[path]; ok {
		return min(max(p, 0), 1)
	}
	return 1
}

func (b Branching) errors(path string) float64 {
	return min(max(b.Errors[path], 0), 1)
}

func (b Branching) attempts(path string) float64 {
	return max(b.Attempts[path], 1)
}

func (b Branching) iterations(path string, f *For) float64 {
	if n, ok := b.Iterations[path]; ok {
		return max(n, 0)
	}
	var list []json.RawMessage
	if json.Unmarshal([]byte(f.In), &list) == nil && f.While == "" {
		return float64(len(list))
	}
	return 1
}
