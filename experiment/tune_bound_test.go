package experiment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/tuner/search"
)

// stalling is a workflow of the family of stalls whose behaviour is known but for
// how often each function stalls.
type stalling struct {
	*tuneWorld
	share   []float64   // of each function's invocations, the truth
	lengths [][]float64 // how much longer those take than usual, ascending
	options [][]search.Option
}

// stallFrom is how many times as long as usual an invocation of that family takes at
// least if it stalls, about; what does not stall varies by much less. So many quantiles
// stand for the times of a cell.
const stallFrom, cellQuantiles = 1.4, 200

func newStalling(t *testing.T, name string) *stalling {
	t.Helper()
	m, err := NamedProfile(name)
	if err != nil {
		t.Fatal(err)
	}
	price, err := function.LookupPrice("paper")
	if err != nil {
		t.Fatal(err)
	}
	s := &stalling{}
	if s.tuneWorld, err = newTuneWorld(m, tuner.PromiseOf(m.QoS), price); err != nil {
		t.Fatal(err)
	}
	for v, table := range s.tables {
		var lengths []float64
		var seen float64
		var all []search.Option
		for i := range table.Space.CPU.Len() {
			for j := range table.Space.Memory.Len() {
				r := function.Resources{CPU: function.MilliCPU(table.Space.CPU.At(i)), Memory: function.Bytes(table.Space.Memory.At(j))}
				if !table.Works(r) {
					continue
				}
				at := table.Of(-1, r)
				median := at.Quantile(0.48) // of what does not stall
				all = append(all, search.Option{Resources: r, Time: median, Cost: s.visits[v] * s.problem.Price.Busy(r, 1e9) * median})
				if i%4 == 0 && j%8 == 0 {
					for k := range cellQuantiles {
						seen++
						if x := at.Quantile((float64(k)+0.5)/cellQuantiles) / median; x >= stallFrom {
							lengths = append(lengths, x)
						}
					}
				}
			}
		}
		slices.Sort(lengths)
		s.share, s.lengths = append(s.share, float64(len(lengths))/seen), append(s.lengths, lengths)
		s.options = append(s.options, search.Front(all))
	}
	return s
}

// space is the search for the cheapest that keeps the promise in a share of the worlds,
// each with its own shares of stalls.
func (s *stalling) space(worlds [][]float64, sure float64, seed uint64) *search.Space {
	const runs, narrow = 2048, 0.045 // standard deviation of the logarithm of usual times
	rng := rand.New(rand.NewPCG(seed, 5))
	slots := s.comp.Slots()
	draw := func() []float64 {
		out := make([]float64, runs)
		for i := range out {
			out[i] = rng.Float64()
		}
		return out
	}
	var uniform [][]float64
	for range s.comp.Uniforms() {
		uniform = append(uniform, slices.Repeat(draw(), len(worlds)))
	}
	luck, length, bell := make([][]float64, len(slots)), make([][]float64, len(slots)), make([][]float64, len(slots))
	for k := range slots {
		luck[k], length[k] = draw(), draw()
		for range runs {
			bell[k] = append(bell[k], math.Exp(narrow*rng.NormFloat64()))
		}
	}
	sp := &search.Space{Graph: s.problem.Graph, Composition: s.comp, Runs: runs * len(worlds), Uniform: uniform, Options: s.options}
	for stage := range s.problem.Graph.Stages {
		sp.Variable = append(sp.Variable, s.function(stage))
	}
	sp.Column = func(slot, option int, dst []float64) {
		v := s.function(slots[slot])
		for w, share := range worlds {
			for i := range runs {
				x := s.options[v][option].Time * bell[slot][i]
				if luck[slot][i] < share[v] {
					x *= s.lengths[v][int(length[slot][i]*float64(len(s.lengths[v])))]
				}
				dst[w*runs+i] = x
			}
		}
	}
	kept := make([]float64, len(worlds))
	sp.Statistic = func(latency []float64) float64 {
		for w := range kept {
			kept[w] = s.problem.Target.Of(latency[w*runs : (w+1)*runs])
		}
		return stats.Quantiles(kept, sure)[0]
	}
	return sp
}

// What a strategy would get that knows everything of workflows of the family of
// stalls, from the length of each function's stalls to what shares are likely, but not
// each function's share: that it counts in 25 runs. It takes the cheapest that keeps
// the promise in 95 % of what could be true then. A strategy that has to learn the rest
// as well cannot be expected to do better. It was no better than 1.05:
//
//	AQUATOPE_MEASURE=1 go test -count=1 -run TestBoundOnStalls -v ./experiment
func TestBoundOnStalls(t *testing.T) {
	if os.Getenv("AQUATOPE_MEASURE") == "" {
		t.Skip("a measurement of two minutes: AQUATOPE_MEASURE=1")
	}
	const workflows, runs, worlds, sure = 40, 25, 64, 0.95
	var cost []float64
	kept := 0
	for n := range workflows {
		s := newStalling(t, fmt.Sprintf("random-6-stalls-%d", 5000+n))
		truth := [][]float64{s.share}
		target := s.problem.Target.Seconds
		oracle := s.space(truth, 1, 1).Solve(target, 20)
		rng := stats.Stream(uint64(n), "stalls")
		could := make([][]float64, worlds)
		for v, share := range s.share {
			invocations, stalls := int(math.Round(runs*s.visits[v])), 0
			for range invocations {
				if rng.Float64() < share {
					stalls++
				}
			}
			for w, x := range posteriorShares(invocations, stalls, worlds, rng) {
				could[w] = append(could[w], x)
			}
		}
		choice := s.space(could, sure, 1).Solve(target, 20).Choice
		judge := s.space(truth, 1, 2)
		cost = append(cost, judge.Cost(choice)/oracle.Cost)
		if judge.Value(choice) <= 1.02*target {
			kept++
		}
	}
	mean, sd := stats.Moments(cost)
	t.Logf("cost %.3f of the oracle's (standard error %.3f), %d of %d keep the promise within 2 %%", mean, sd/math.Sqrt(workflows), kept, workflows)
	if mean < 1.05 {
		t.Errorf("cost %.3f: the goal of 1.05 is not out of reach for want of runs", mean)
	}
}

// posteriorShares draws shares of stalls, evenly likely in the logarithm from 0.003 to
// 0.1 before they were counted.
func posteriorShares(n, stalls, draws int, rng *rand.Rand) []float64 {
	const steps = 400
	shares, sums := make([]float64, steps), make([]float64, steps)
	var sum float64
	for i := range steps {
		shares[i] = 0.003 * math.Pow(0.1/0.003, (float64(i)+0.5)/steps)
		sum += math.Exp(float64(stalls)*math.Log(shares[i]) + float64(n-stalls)*math.Log(1-shares[i]))
		sums[i] = sum
	}
	out := make([]float64, draws)
	for d := range out {
		i, _ := slices.BinarySearch(sums, rng.Float64()*sum)
		out[d] = shares[min(i, steps-1)]
	}
	return out
}
