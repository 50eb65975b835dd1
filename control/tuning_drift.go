package control

import "math"

// Drift watches whether the runs of what was recommended still behave as the
// promise says: a cumulative sum (Page, 1954) of the log-likelihood ratio of
// violations being usual against their being three times as frequent. It is
// about insensitive to single violations and speaks up after some in a row. The
// zero value watches nothing.
type Drift struct {
	// Allowed is the share of violations that the promise allows, in (0, 1/3).
	Allowed float64
	sum     float64
}

const (
	driftFactor = 3.0
	// driftAlarm is where the sum raises an alarm: without drift that happens once
	// in some thousand runs, with it after about forty.
	driftAlarm = 5.0
)

// Note takes the next run and reports whether there is drift. After an alarm it
// begins anew.
func (d *Drift) Note(violated bool) bool {
	if !(d.Allowed > 0 && driftFactor*d.Allowed < 1) {
		return false
	}
	step := math.Log((1 - driftFactor*d.Allowed) / (1 - d.Allowed))
	if violated {
		step = math.Log(driftFactor)
	}
	d.sum = math.Max(0, d.sum+step)
	if d.sum < driftAlarm {
		return false
	}
	d.sum = 0
	return true
}
