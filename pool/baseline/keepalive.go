package baseline

import (
	"time"

	"github.com/aquatope/aquatope/pool"
)

// KeepAlive removes an instance after a fixed time of idleness, as OpenWhisk
// does after ten minutes. Under memory pressure the longest idle goes first.
type KeepAlive struct {
	pool.Reactor
	Timeout time.Duration
}

// DefaultKeepAlive is OpenWhisk's timeout.
const DefaultKeepAlive = 10 * time.Minute

// Name implements pool.Policy.
func (KeepAlive) Name() string { return "keepalive" }

// Idle implements pool.Policy.
func (p KeepAlive) Idle(pool.Event) (pool.Retention, bool) {
	return pool.Retention{KeepAlive: p.Timeout}, true
}
