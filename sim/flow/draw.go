package flow

// golden is the odd number nearest to 2^64 over the golden ratio, the step of
// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), and mix its finalizer: equal
// inputs give equal outputs, neighbouring ones independent ones.
const golden = 0x9e3779b97f4a7c15

func mix(x uint64) uint64 {
	x += golden
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// uniform returns a number in [0, 1).
func uniform(x uint64) float64 { return float64(x>>11) / (1 << 53) }

// draw returns the random bits of a step within a frame: always the same, except
// in a loop, where the iterations differ.
func (f *frame) draw(step int32) uint64 {
	x := f.key + uint64(uint32(step+1))*golden
	if f.loop {
		f.draws++
		x += uint64(f.draws) << 32
	}
	return mix(x)
}

// A token is a step within a frame, and whether it is tried again.
const retried = 1 << 62

func token(step, frame int32) int64 { return int64(step)<<32 | int64(frame) }

func stepOf(token int64) int32  { return int32(token >> 32 & (1<<30 - 1)) }
func frameOf(token int64) int32 { return int32(uint32(token)) }
