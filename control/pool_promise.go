package control

import (
	"slices"
	"time"

	"github.com/aquatope/aquatope/pool"
)

// ahead is what runs that have begun will need.
type ahead struct {
	runs map[string]*begun
	// pending are the promises that something is to be done about, in order of
	// when: to keep an instance ready, or to give up waiting.
	pending []*promise
}

// begun is a run of a workflow that is under way.
type begun struct {
	at       time.Duration
	promises []*promise
	entry    stage
	told     map[int]bool // stages that have told what follows them, by index
	blind    bool         // nothing is known of the workflow, or of a run that begins so
}

// promise is one invocation that a run will likely make, or an instance that is
// wanted for a part of a window.
type promise struct {
	function         string
	at, ready, until time.Duration // when an instance is kept, when it can serve, and until when it waits
	ofRun            bool
	kept, over       bool
}

func (x *promise) due() time.Duration {
	if x.kept {
		return x.until
	}
	return x.at
}

func newAhead() *ahead { return &ahead{runs: map[string]*begun{}} }

func (a *ahead) push(x *promise) {
	i, _ := slices.BinarySearchFunc(a.pending, x.due(), func(y *promise, t time.Duration) int { return int(min(max(y.due()-t, -1), 1)) })
	a.pending = slices.Insert(a.pending, i, x)
}

// next is when something is to be done; ok is false if there is nothing.
func (a *ahead) next() (at time.Duration, ok bool) {
	for len(a.pending) > 0 && a.pending[0].over {
		a.pending = a.pending[1:]
	}
	if len(a.pending) == 0 {
		return 0, false
	}
	return a.pending[0].due(), true
}

// forget drops runs whose end was not told, because it was lost on the way.
func (a *ahead) forget(before time.Duration) {
	for id, r := range a.runs {
		if r.at < before {
			delete(a.runs, id)
		}
	}
}

// sight is the share of a function's invocations for which an instance could be
// ready because their run had begun.
type sight struct{ share, n float64 }

const (
	// sightMemory is how many invocations a sight remembers, and sightProven
	// how many it takes to rely on it.
	sightMemory = 50
	sightProven = 5
	// sightEnough is the share that is enough to keep nothing warm between runs.
	sightEnough = 0.85
)

func (s *sight) add(foreseen bool) {
	x := 0.0
	if foreseen {
		x = 1
	}
	s.n = min(s.n+1, sightMemory)
	s.share += (x - s.share) / s.n
}

func (s *sight) enough() bool { return s.n >= sightProven && s.share >= sightEnough }

// follow is told of an invocation that arrives. It may have been foreseen, and
// tells what its run will need later.
func (m *mind) follow(c Call, i int, at time.Duration) {
	if c.Run == "" || c.Workflow == "" {
		m.known[i].sight.add(false)
		return
	}
	s, known := m.paths.stages[stageKey{c.Workflow, c.Stage}]
	r := m.ahead.runs[c.Run]
	if r == nil {
		m.known[i].sight.add(false)
		r = &begun{at: at, entry: s, told: map[int]bool{}, blind: !known}
		m.ahead.runs[c.Run] = r
		if known {
			m.promise(r, at, m.policy.Foresee(s.begins()))
		}
	} else if !r.blind {
		m.known[i].sight.add(m.keeps(r, c.Function, at))
	}
	if !r.blind && known && !r.told[s.index] {
		r.told[s.index] = true
		m.promise(r, at, m.policy.Follow(s.after(r.entry)))
	}
}

// keeps reports whether a run promised an invocation in time, and ends that promise.
func (m *mind) keeps(r *begun, fn string, at time.Duration) bool {
	for _, x := range r.promises {
		if !x.over && x.function == fn {
			m.end(x)
			return at >= x.ready
		}
	}
	return false
}

// promise notes what a run will need, as told by an invocation at a time.
func (m *mind) promise(r *begun, at time.Duration, needs []pool.Ahead) {
	for _, x := range needs {
		view := m.views[x.Function]
		begin := later(at, x.After)
		made := &promise{
			function: view.Name, at: begin, ready: later(begin, view.ColdStart),
			until: later(later(begin, view.ColdStart), x.Hold), ofRun: true,
		}
		r.promises = append(r.promises, made)
		m.ahead.push(made)
	}
}

// over is told that nothing more comes of a run.
func (m *mind) over(run string) {
	if r := m.ahead.runs[run]; r != nil {
		delete(m.ahead.runs, run)
		for _, x := range r.promises {
			m.end(x)
		}
	}
}

// end gives a promise up, or takes it as kept.
func (m *mind) end(x *promise) {
	if !x.over {
		x.over = true
		m.expect(x, -1)
	}
}

// expect counts an instance that is kept for a promise, or no longer.
func (m *mind) expect(x *promise, step int) {
	i, ok := m.index[x.function]
	if !ok || step < 0 && !x.kept {
		return
	}
	k := m.known[i]
	k.expected = max(0, k.expected+step)
	k.hold = max(0, k.hold+time.Duration(step)*(x.until-x.ready))
	m.touched[i] = true
}

// look has instances kept for what is due, and gives up what did not come.
func (m *mind) look(now time.Duration) {
	for {
		at, ok := m.ahead.next()
		if !ok || at > now {
			return
		}
		x := m.ahead.pending[0]
		m.ahead.pending = m.ahead.pending[1:]
		if x.kept {
			m.end(x)
			continue
		}
		x.kept = true
		m.expect(x, +1)
		m.ahead.push(x)
		if i, ok := m.index[x.function]; ok && x.ofRun {
			m.known[i].account.ours.foresee(at, x.until, m.views[i].ColdStart, m.known[i].expected)
		}
	}
}
