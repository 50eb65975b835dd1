package tuner

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/workflow"
)

// belief is what the structured strategy makes of a history.
type belief struct {
	p        *Problem
	of       []int // variable of each stage
	visits   []float64
	comp     *workflow.Composition
	evidence []evidence
	surfaces []*surface
	noise    []noise
	common   []float64     // of each variable, the correlation of its noise with a cause that all share in a run
	tail     float64       // how many standard deviations of its noise a function is planned with
	only     Configuration // the one that is looked at; nil for all
	overhead []float64     // seconds of each run that no stage accounts for, ascending
}

// maxPoints bounds the points of one variable that are used, the newest.
const maxPoints = 120

// memory keeps fitted parameters by the data that they were fitted to.
type memory struct {
	mu  sync.Mutex
	fit map[fitKey]fitted
}

// fitted are the most likely parameters and others that are about as likely.
type fitted struct {
	best   explanation
	around []explanation
	slow   slowPart
}

type fitKey struct {
	data     uint64
	variable int
	space    function.Space // which bounds and priors follow from
}

// refits are the numbers of runs after which parameters are fitted anew, 15 %
// apart: in between the newest data are conditioned on with the parameters of
// the last fit. Each fit starts from the one before, so that the parameters are
// a function of the history alone.
func refits(runs int) []int {
	var at []int
	for k := 3; k <= runs; k = max(k+1, k*23/20) {
		at = append(at, k)
	}
	if len(at) == 0 {
		at = []int{runs}
	}
	return at
}

// believe fits everything. It fails with errNoObservation if nothing worked yet;
// the surface of a variable of which that is true is nil.
func believe(p *Problem, history []Run, m *memory) (*belief, error) {
	b := &belief{p: p, visits: p.visits(-1), tail: tailOf(p)}
	b.of, _ = p.variables()
	var err error
	if b.comp, err = workflow.NewComposition(p.Graph); err != nil {
		return nil, err
	}
	b.evidence = gather(p, history)
	b.surfaces = make([]*surface, len(b.evidence))
	at := refits(len(history))
	before := make([]fitted, len(b.evidence))
	for i, k := range at {
		// Only the last link of the chain that is not remembered needs fitting.
		prefix := gather(p, history[:k])
		for v := range prefix {
			e := prefix[v]
			if e.ok == 0 {
				continue
			}
			key := fitKey{e.hash(i), v, b.space(v)}
			fit, ok := m.get(key)
			if !ok {
				s := b.surface(v, e)
				s.observe(e)
				if fit, err = s.fit(before[v].best, uint64(v)); err != nil {
					return nil, fmt.Errorf("fitting %s: %w", b.name(v), err)
				}
				m.put(key, fit)
			}
			before[v] = fit
		}
	}
	for v := range b.evidence {
		e := b.evidence[v]
		if e.ok == 0 {
			continue // on a way that no run has taken yet
		}
		s := b.surface(v, e)
		s.observe(e)
		fit := before[v]
		if fit.best.params == nil {
			fit.best.params = s.model.Start()
			fit.around = slices.Repeat([]explanation{fit.best}, explanations)
		}
		s.counts(fit.best.unit)
		if err := s.condition(fit.best.params, fit.slow); err != nil {
			return nil, fmt.Errorf("fitting %s: %w", b.name(v), err)
		}
		if err := s.explore(fit.around); err != nil {
			return nil, fmt.Errorf("fitting %s: %w", b.name(v), err)
		}
		before[v] = fit
		b.surfaces[v] = s
	}
	if err := climb(b.surfaces, before, rand.New(rand.NewPCG(designSeed, uint64(len(history))))); err != nil {
		return nil, err
	}
	var known []*surface
	nothing := true
	for v, s := range b.surfaces {
		nothing = nothing && s == nil
		if s == nil {
			s = &surface{}
		} else {
			s.residuals(b.evidence[v])
		}
		known = append(known, s)
	}
	if nothing {
		return nil, errNoObservation
	}
	b.noise = learnNoise(known)
	b.common = commonCause(known, len(history))
	b.overhead = overheads(p, history)
	return b, nil
}

func (b *belief) surface(v int, e evidence) *surface {
	if v >= len(b.p.Functions) {
		return newFixedSurface(e)
	}
	return newSurface(b.space(v), e)
}

// space is what may be chosen for a variable, nothing where that is not ours.
func (b *belief) space(v int) function.Space {
	if v >= len(b.p.Functions) {
		return function.Space{}
	}
	return b.p.Functions[v].Space
}

// logCPU returns the logarithm of the cores that a variable has, 0 where these
// are not ours.
func (b *belief) logCPU(v int, r function.Resources) float64 {
	if v >= len(b.p.Functions) {
		return 0
	}
	return math.Log(r.CPU.Cores())
}

func (b *belief) name(v int) string {
	if v < len(b.p.Functions) {
		return fmt.Sprintf("function %q", b.p.Functions[v].Name)
	}
	return fmt.Sprintf("stage %q", b.p.Graph.Stages[slices.Index(b.of, v)].Name)
}

func (m *memory) get(k fitKey) (fitted, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.fit[k]
	return p, ok
}

func (m *memory) put(k fitKey, p fitted) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fit == nil || len(m.fit) > 1<<14 {
		m.fit = map[fitKey]fitted{}
	}
	m.fit[k] = p
}

// hash identifies the observations; link is the place in the chain of fits.
func (e evidence) hash(link int) uint64 {
	h := fnv.New64a()
	put := func(v uint64) {
		var buf [8]byte
		for i := range buf {
			buf[i] = byte(v >> (8 * i))
		}
		h.Write(buf[:])
	}
	put(uint64(link))
	for i, y := range e.logTime {
		put(math.Float64bits(y))
		put(math.Float64bits(e.size(i)))
		put(uint64(e.run[i]))
		put(uint64(e.resources[i].CPU))
		put(uint64(e.resources[i].Memory))
		if e.censored[i] {
			put(1)
		}
	}
	return h.Sum64()
}
