package local

import "time"

// backoff delays starts of a revision whose instances do not get ready or end
// while idle, so that a broken function does not keep the machine busy.
type backoff struct {
	failures int
	until    time.Time
	last     string // why the last instance failed
}

// Bounds of the delay, which doubles from one failure to the next.
const (
	firstDelay = 500 * time.Millisecond
	lastDelay  = 30 * time.Second
)

func (b *backoff) fail(now time.Time, why string) {
	delay := lastDelay
	if b.failures < 6 {
		delay = firstDelay << b.failures
	}
	b.failures++
	b.until = now.Add(delay)
	b.last = why
}

func (b *backoff) reset() { *b = backoff{} }

func (b *backoff) remaining(now time.Time) time.Duration { return max(0, b.until.Sub(now)) }
