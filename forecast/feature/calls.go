package feature

import "math/bits"

// calls is the set of the last windows that were active, those known last
// included: a ring of bits, so that single windows and sums over many cost little.
type calls [callWords]uint64

const (
	callWords = 16
	// callReach is how far back from the end the set is complete.
	callReach = 64 * (callWords - 1)
)

// grow makes room for the windows [from, to), which are idle as yet.
func (c *calls) grow(from, to int64) {
	last := (to - 1) >> 6
	for i := max((from-1)>>6, last-callWords) + 1; i <= last; i++ {
		c[i&(callWords-1)] = 0
	}
}

// add puts in a window that is within reach of the end.
func (c *calls) add(w int64) { c[w>>6&(callWords-1)] |= 1 << (w & 63) }

// has tells whether a window is in the set, which must be within reach of the end.
func (c *calls) has(w int64) bool { return c[w>>6&(callWords-1)]>>(w&63)&1 != 0 }

// from counts the windows from the given one, within reach, up to the end.
func (c *calls) from(w, end int64) int {
	if w >= end {
		return 0
	}
	i := w >> 6
	n := bits.OnesCount64(c[i&(callWords-1)] >> (w & 63))
	for i++; i <= (end-1)>>6; i++ {
		n += bits.OnesCount64(c[i&(callWords-1)])
	}
	return n
}

// called tells whether a window was active.
func (w *view) called(at int64) bool {
	switch {
	case at > w.last || w.active == 0:
		return false
	case at >= w.seen-callReach:
		return w.calls.has(at)
	}
	return w.h.At(at) > 0
}
