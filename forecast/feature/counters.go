package feature

import "math"

// counters are numbered from 0. They are most of what is remembered of a function:
// they take room up to the highest that was ever counted, and two bytes each until
// one of them needs more.
type counters struct {
	small []uint16
	large []uint32 // instead of small
}

// at returns a counter.
func (c *counters) at(i int) uint32 {
	switch {
	case i < len(c.small):
		return uint32(c.small[i])
	case i < len(c.large):
		return c.large[i]
	}
	return 0
}

// add counts one.
func (c *counters) add(i int) {
	const block = 32 // by which they grow
	switch n := i/block + 1; {
	case c.large != nil:
		for len(c.large) <= i {
			c.large = append(c.large, make([]uint32, block)...)
		}
		c.large[i]++
		return
	case i >= len(c.small):
		grown := make([]uint16, n*block)
		copy(grown, c.small)
		c.small = grown
	case c.small[i] == math.MaxUint16:
		for _, v := range c.small {
			c.large = append(c.large, uint32(v))
		}
		c.small = nil
		c.large[i]++
		return
	}
	c.small[i]++
}
