package trace

import (
	"fmt"
	"iter"
	"sort"
)

// MaxCount is the largest number of invocations of one function in one minute
// that readers accept. The whole of Azure has about a million a minute; more
// than a hundred million in one row is a damaged file.
const MaxCount = 100_000_000

// Counts is how often something happened in every minute: a sparse series, so
// that a function that is called twice a day costs two entries a day. The zero
// value is an empty series, ready to use.
type Counts struct {
	minutes []int32
	counts  []int32
}

// Append adds n invocations at a minute, which must not lie before the last one
// appended, and n in [0, MaxCount]. Zero adds nothing.
func (c *Counts) Append(minute, n int) {
	if n == 0 {
		return
	}
	last := len(c.minutes) - 1
	switch {
	case n < 0 || n > MaxCount:
		panic(fmt.Sprintf("trace: count %d outside [0, %d]", n, MaxCount))
	case last >= 0 && int(c.minutes[last]) > minute:
		panic("trace: minutes appended out of order")
	case last >= 0 && int(c.minutes[last]) == minute:
		c.counts[last] = int32(min(int(c.counts[last])+n, MaxCount))
	default:
		c.minutes = append(c.minutes, int32(minute))
		c.counts = append(c.counts, int32(n))
	}
}

// forget drops what lies before a minute.
func (c *Counts) forget(before int) {
	i := c.search(before)
	c.minutes = append(c.minutes[:0], c.minutes[i:]...)
	c.counts = append(c.counts[:0], c.counts[i:]...)
}

// Active returns the number of minutes with at least one invocation.
func (c Counts) Active() int { return len(c.minutes) }

// Max returns the count of the busiest minute.
func (c Counts) Max() int {
	most := int32(0)
	for _, k := range c.counts {
		most = max(most, k)
	}
	return int(most)
}

// At returns the count of one minute, in O(log n).
func (c Counts) At(minute int) int {
	if i := c.search(minute); i < len(c.minutes) && int(c.minutes[i]) == minute {
		return int(c.counts[i])
	}
	return 0
}

// In iterates over the minutes of the span that have invocations, in order,
// with their counts.
func (c Counts) In(s Span) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		for i := c.search(s.From); i < len(c.minutes) && int(c.minutes[i]) < s.To; i++ {
			if !yield(int(c.minutes[i]), int(c.counts[i])) {
				return
			}
		}
	}
}

// Sum returns the number of invocations in the span.
func (c Counts) Sum(s Span) int64 {
	var n int64
	for _, k := range c.In(s) {
		n += int64(k)
	}
	return n
}

// Dense writes the counts of the span, zeros included, to dst, which it
// grows if needed, and returns it.
func (c Counts) Dense(dst []float64, s Span) []float64 {
	dst = append(dst[:0], make([]float64, s.Len())...)
	for m, k := range c.In(s) {
		dst[m-s.From] = float64(k)
	}
	return dst
}

// Bounds returns the first and one past the last minute with an invocation.
func (c Counts) Bounds() (Span, bool) {
	if len(c.minutes) == 0 {
		return Span{}, false
	}
	return Span{int(c.minutes[0]), int(c.minutes[len(c.minutes)-1]) + 1}, true
}

func (c Counts) search(minute int) int {
	return sort.Search(len(c.minutes), func(i int) bool { return int(c.minutes[i]) >= minute })
}
