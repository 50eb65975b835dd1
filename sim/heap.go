package sim

// kind is what happens at an event. Of events at the same instant the lower
// kind goes first, then the lower function.
type kind uint8

const (
	complete kind = iota // an invocation ends
	ready                // an instance that was started ahead can serve
	expire               // the keep-alive of an idle instance ends
	preWarm              // an instance is started ahead by its function's retention
	foreseen             // an invocation is expected that a policy foresaw
	deadline             // a waiting invocation gives up
)

// event is 16 bytes, since the queue of them is the hottest data of all.
type event struct {
	at int64 // nanoseconds
	of int64 // kind, index of function, and slot of the instance, from high to low bits
}

const slotBits = 24

func newEvent(at int64, k kind, f, slot int32) event {
	return event{at, int64(k)<<56 | int64(f)<<slotBits | int64(slot)}
}

func (e event) kind() kind      { return kind(e.of >> 56) }
func (e event) function() int32 { return int32(e.of >> slotBits) }
func (e event) slot() int32     { return int32(e.of & (1<<slotBits - 1)) }

func (e event) before(o event) bool { return e.at < o.at || e.at == o.at && e.of < o.of }

// queue is a 4-ary heap: half the levels of a binary one, and the four children
// of a node share a cache line.
type queue []event

func (q *queue) push(e event) {
	*q = append(*q, e)
	h := *q
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 4
		if !e.before(h[up]) {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i] = e
}

func (q *queue) pop() event {
	h := *q
	top := h[0]
	n := len(h) - 1
	last := h[n]
	*q = h[:n]
	h = h[:n]
	if n == 0 {
		return top
	}
	i := 0
	for {
		first := 4*i + 1
		if first >= n {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, n); c++ {
			if h[c].before(h[least]) {
				least = c
			}
		}
		if !h[least].before(last) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = last
	return top
}
