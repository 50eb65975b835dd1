package workflow

import "gonum.org/v1/gonum/floats"

// Columns computes the latencies of many runs at once, one column of numbers
// for each slot: many times faster than calling Latency for each run, which is
// what a search over configurations needs. It reuses its memory and is not safe
// for concurrent use.
type Columns struct {
	c       *Composition
	input   []int
	uniform [][]float64

	last    [][]float64 // service times of the last call
	changed []int       // of each slot, how many before it have others now
	kept    [][]float64 // of each step, its durations in the last call; nil for none
	buffers [][]float64
	used    int
}

// NewColumns returns the column-wise form of c for runs of which uniform[u][i] is
// uniform number u of run i, input[i] its input as in Of. Without input, nil, the
// composition says which it is.
func NewColumns(c *Composition, input []int, uniform [][]float64) *Columns {
	slots := len(c.slots)
	return &Columns{
		c: c, input: input, uniform: uniform,
		last: make([][]float64, slots), changed: make([]int, slots+1), kept: make([][]float64, len(c.steps)),
	}
}

// Latencies writes to dst the latency of each run; service[s][i] is the service
// time of slot s in run i. All columns are as long as dst, and stay as they are:
// where the last call had the same column, what follows from it is not computed
// again.
func (k *Columns) Latencies(service [][]float64, dst []float64) {
	for s, column := range service {
		k.changed[s+1] = k.changed[s]
		if len(column) > 0 && (k.last[s] == nil || &column[0] != &k.last[s][0]) {
			k.changed[s+1]++
		}
	}
	copy(k.last, service)
	k.used = 0
	copy(dst, k.duration(int32(len(k.c.steps)-1), service, len(dst), true))
}

// buffer returns a column of zeros.
func (k *Columns) buffer(n int) []float64 {
	if k.used == len(k.buffers) {
		k.buffers = append(k.buffers, nil)
	}
	if cap(k.buffers[k.used]) < n {
		k.buffers[k.used] = make([]float64, n)
	}
	b := k.buffers[k.used][:n]
	clear(b)
	k.used++
	return b
}

// duration returns how long step i takes in each run; the caller must not
// change it. Its memory is kept for the next call if so asked.
func (k *Columns) duration(i int32, service [][]float64, n int, keep bool) []float64 {
	s := &k.c.steps[i]
	if s.kind == KindStage {
		return service[s.slot]
	}
	var out []float64
	switch {
	case !keep:
		out = k.buffer(n)
	case k.kept[i] == nil:
		k.kept[i] = make([]float64, n)
		out = k.kept[i]
	case k.changed[s.hi] == k.changed[s.lo]:
		return k.kept[i]
	default:
		out = k.kept[i]
		clear(out)
	}
	mark := k.used
	switch s.kind {
	case KindDelay:
		floats.AddConst(s.delay, out)
	case KindSeries:
		for _, kid := range s.kids {
			floats.Add(out, k.duration(kid, service, n, keep))
			k.used = mark
		}
	case KindParallel, KindRace:
		for j, kid := range s.kids {
			merge(out, k.duration(kid, service, n, keep), s.kind == KindParallel, j == 0)
			k.used = mark
		}
	case KindChoice:
		kids := make([][]float64, len(s.kids))
		for j, kid := range s.kids {
			kids[j] = k.duration(kid, service, n, keep)
		}
		for r, u := range k.uniform[s.uniform] {
			out[r] = kids[k.way(s, r).chosen(u)][r]
		}
		k.used = mark
	case KindLoop:
		k.loop(s, service, out)
		k.used = mark
	}
	return out
}

// way returns the ways that step s has in run r.
func (k *Columns) way(s *step, r int) *way {
	if k.input == nil {
		return s.way(k.c.ways)
	}
	return s.way(k.input[r] + 1)
}

// merge keeps the larger of each pair, or the smaller; the first column is copied.
func merge(dst, src []float64, larger, first bool) {
	src = src[:len(dst)]
	switch {
	case first:
		copy(dst, src)
	case larger:
		for i, v := range src {
			dst[i] = max(dst[i], v)
		}
	default:
		for i, v := range src {
			dst[i] = min(dst[i], v)
		}
	}
}

// loop schedules the iterations of every run as Latency does. They are not kept:
// there may be very many, and most change together.
func (k *Columns) loop(s *step, service [][]float64, out []float64) {
	kids := make([][]float64, len(s.kids))
	for j, kid := range s.kids {
		kids[j] = k.duration(kid, service, len(out), false)
	}
	var free [maxIterations]float64
	for r := range out {
		w := k.way(s, r)
		n := w.most
		if w.extra < 1 && k.uniform[s.uniform][r] >= w.extra {
			n--
		}
		width := min(s.width, n)
		clear(free[:max(width, 1)])
		for j := range n {
			place := 0
			for q := 1; q < width; q++ {
				if free[q] < free[place] {
					place = q
				}
			}
			free[place] += w.scale * kids[j][r]
			out[r] = max(out[r], free[place])
		}
	}
}
