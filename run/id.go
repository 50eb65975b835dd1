package run

import "time"

// crockford is base 32 without letters that are mistaken for digits, lower case.
const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// NewID returns the id of a run that begins at t: a ULID in lower case, so that
// ids sort by time. The random source gives 80 of its bits.
func NewID(t time.Time, random func() uint64) string {
	return id(t, random()>>48, random())
}

// MinID returns the smallest id that a run beginning at t can have. Ids know
// milliseconds: runs that began earlier in the same one are not excluded.
func MinID(t time.Time) string { return id(t, 0, 0) }

func id(t time.Time, high, low uint64) string {
	var out [26]byte
	high |= uint64(t.UnixMilli()) << 16
	for i := 25; i >= 0; i-- {
		out[i] = crockford[low&31]
		low = low>>5 | high<<59
		high >>= 5
	}
	return string(out[:])
}
