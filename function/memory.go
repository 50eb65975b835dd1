package function

import "slices"

// Kill is an invocation that was killed for memory: the limit that it ran under and
// the peak of what it used, 0 where that was not measured.
type Kill struct{ Peak, Limit Bytes }

// AtLimit reports whether the invocation had used up its limit, as far as can be
// told. A machine that is short of memory for a moment also kills what is far
// below it.
func (k Kill) AtLimit() bool {
	const near = 0.8 // what asks for too much at once is killed before it has it
	return k.Peak <= 0 || float64(k.Peak) >= near*float64(k.Limit)
}

// TooLittle returns the largest limit that kills have shown to be too little, 0 if
// none has: one kill at the limit shows it, and so do two below it, for both of
// which the machine is not likely to be to blame.
func TooLittle(kills []Kill) Bytes {
	var shown Bytes
	var below []Bytes
	for _, k := range kills {
		if k.AtLimit() {
			shown = max(shown, k.Limit)
		} else {
			below = append(below, k.Limit)
		}
	}
	slices.Sort(below)
	if n := len(below); n > 1 {
		shown = max(shown, below[n-2])
	}
	return shown
}
