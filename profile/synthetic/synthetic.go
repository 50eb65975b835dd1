// Package synthetic generates profiles of workflows that do not exist, of many
// shapes: to judge tuners on functions whose scaling they do not assume. What is
// generated are samples over a grid, as if they had been measured.
package synthetic

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/profile"
	"github.com/aquatope/aquatope/stats"
)

// Family is a kind of function.
type Family string

// The families. Amdahl is what resource managers like to assume; the others are
// what measurements show.
const (
	Amdahl     Family = "amdahl"     // serial part plus parallel part, memory hinge
	Steps      Family = "steps"      // whole worker threads: time falls in steps
	Plateau    Family = "plateau"    // no gain beyond one or two cores
	Cliff      Family = "cliff"      // several times slower below some memory
	GrowingVar Family = "growingvar" // noise that grows with CPU
	HeavyTail  Family = "heavytail"  // noise with Student's t tails
	PowerLaw   Family = "powerlaw"   // time falls as a fractional power of CPU
	Contention Family = "contention" // slower again beyond some CPU
	Outliers   Family = "outliers"   // Amdahl, 4 % of invocations 2 to 5 times slower
	Mixed      Family = "mixed"      // each function of another family
)

// Families returns all of them.
func Families() []Family {
	return []Family{Amdahl, Steps, Plateau, Cliff, GrowingVar, HeavyTail, PowerLaw, Contention, Outliers, Mixed}
}

// Shape is the graph of a generated workflow.
type Shape string

// The shapes, after the five workflows of the Aquatope paper, and a random
// series-parallel one.
const (
	Chain  Shape = "chain"
	ML     Shape = "ml"
	Video  Shape = "video"
	FanOut Shape = "fanout"
	Social Shape = "social"
	Random Shape = "random"
)

// Shapes returns those with a fixed number of functions.
func Shapes() []Shape { return []Shape{Chain, ML, Video, FanOut, Social} }

// Options say what to generate.
type Options struct {
	Family    Family
	Shape     Shape
	Functions int // of Random; at least 1
	Seed      uint64
	// Percentile of the promise; 95 if 0. Slack is the promised latency relative
	// to that with all resources; if 0 it is drawn from 1.3 to 2.
	Percentile float64
	Slack      float64
}

const (
	maxCPU  = 6000
	samples = 200 // in each cell
)

var (
	gridCPU    = []function.MilliCPU{100, 200, 300, 400, 600, 800, 1000, 1300, 1600, 2000, 2500, 3000, 4000, 5000, maxCPU}
	gridMemory = []function.Bytes{128, 192, 256, 384, 512, 768, 1024, 2048, 4096, 10240} // MiB
)

// Generate returns a profile. Equal options give equal profiles.
func Generate(o Options) (*profile.Profile, error) {
	rng := stats.Stream(o.Seed, fmt.Sprintf("%s %s %d", o.Family, o.Shape, o.Functions))
	p := &profile.Profile{APIVersion: profile.APIVersion, Kind: profile.Kind, Description: "generated, not measured"}
	p.Workflow.Name = fmt.Sprintf("%s-%s-%d", o.Shape, o.Family, o.Seed)
	n := 0
	stage := func() profile.Node {
		n++
		return profile.Node{Stage: fmt.Sprintf("f%d", n)}
	}
	graph, err := shape(o, stage, rng)
	if err != nil {
		return nil, err
	}
	p.Workflow.Graph = graph
	for i := range n {
		f, err := fn(o.Family, rng)
		if err != nil {
			return nil, err
		}
		p.Functions = append(p.Functions, f.measure(fmt.Sprintf("f%d", i+1), rng))
	}
	if o.Percentile == 0 {
		o.Percentile = 95
	}
	if o.Slack == 0 {
		o.Slack = 1.3 + 0.7*rng.Float64()
	}
	return p, promise(p, o, rng)
}

// promise sets the promise relative to the latency with all resources.
func promise(p *profile.Profile, o Options, rng *rand.Rand) error {
	p.Workflow.QoS = profile.QoS{LatencyMillis: 1, Percentile: o.Percentile}
	m, err := profile.New(p)
	if err != nil {
		return fmt.Errorf("generating a profile: %w", err)
	}
	l, err := m.Sample(4000, rng)
	if err != nil {
		return fmt.Errorf("generating a profile: %w", err)
	}
	slices.Sort(l)
	p.Workflow.QoS.LatencyMillis = math.Round(1000 * o.Slack * stats.Quantile(o.Percentile/100, l))
	return nil
}

func series(n ...profile.Node) profile.Node   { return profile.Node{Series: n} }
func parallel(n ...profile.Node) profile.Node { return profile.Node{Parallel: n} }

func shape(o Options, stage func() profile.Node, rng *rand.Rand) (profile.Node, error) {
	times := func(n int) []profile.Node {
		out := make([]profile.Node, n)
		for i := range out {
			out[i] = stage()
		}
		return out
	}
	switch o.Shape {
	case Chain:
		return series(times(3)...), nil
	case ML:
		return series(stage(), parallel(stage(), stage()), stage()), nil
	case Video:
		return series(stage(), stage(), parallel(stage(), stage()), stage()), nil
	case FanOut:
		return series(stage(), parallel(times(8)...), stage()), nil
	case Social:
		return series(stage(), parallel(stage(), series(stage(), stage()), series(stage(), parallel(stage(), stage()))), parallel(stage(), stage()), stage()), nil
	case Random:
		if o.Functions < 1 {
			return profile.Node{}, fmt.Errorf("generating a workflow of %d functions", o.Functions)
		}
		return random(o.Functions, true, stage, rng), nil
	}
	return profile.Node{}, fmt.Errorf("no shape %q", o.Shape)
}

// random splits n stages into a random series-parallel graph.
func random(n int, inSeries bool, stage func() profile.Node, rng *rand.Rand) profile.Node {
	if n == 1 {
		return stage()
	}
	parts := 2 + rng.IntN(min(n, 5)-1)
	sizes := make([]int, parts)
	for i := range n {
		if i < parts {
			sizes[i]++
		} else {
			sizes[rng.IntN(parts)]++
		}
	}
	var kids []profile.Node
	for _, s := range sizes {
		kids = append(kids, random(s, !inSeries, stage, rng))
	}
	if inSeries {
		return series(kids...)
	}
	return parallel(kids...)
}
