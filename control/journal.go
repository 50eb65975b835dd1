package control

import (
	"context"
	"encoding/json"
	"time"
)

// Decision is an entry of the journal: what a controller decided, and why.
type Decision struct {
	Time       time.Time
	Controller string // "pool"
	Kind       string // "target", "calibration" or "model"
	Subject    string // the function that it is about
	Reason     string // for people, one sentence
	Data       json.RawMessage
}

// Journal keeps decisions. They are on the disk when Decide returns.
type Journal interface {
	Decide(ctx context.Context, ds ...Decision) error
}
