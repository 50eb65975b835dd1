package control

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// targetData is what the journal keeps of a changed target.
type targetData struct {
	Mode      Mode          `json:"mode"`
	Window    time.Time     `json:"windowBegin"`
	Length    time.Duration `json:"windowNanos"`
	Before    int           `json:"before"`
	Target    int           `json:"target"`
	KeepAlive time.Duration `json:"keepAliveNanos"`
	Floor     int           `json:"floor"`
	Levels    []float64     `json:"levels,omitempty"`
	Arrivals  []float64     `json:"arrivals,omitempty"`
	Instances []int         `json:"instances,omitempty"`
	Coverage  float64       `json:"coverage,omitempty"`
	Trust     Trust         `json:"trust,omitempty"`
	ColdStart time.Duration `json:"coldStartNanos"`
	Service   time.Duration `json:"serviceNanos"`
	// PriceSeconds is the time that an instance may be idle for the price of a
	// cold start.
	PriceSeconds float64 `json:"priceSeconds"`
}

// report makes the plans visible, and journals what they change.
func (p *Pool) report(ctx context.Context, now time.Time, plans []planned) error {
	var changes []Decision
	state := make(map[string]PoolState, len(plans))
	p.mu.Lock()
	before := p.state
	p.mu.Unlock()
	for i, s := range plans {
		fn := p.functions[i].revision.Function.Name
		state[fn] = s.PoolState
		p.c.Count(s.Reason)
		if p.c.Mode == ModeOff {
			continue
		}
		old := before[fn]
		if old.Trust != s.Trust && (old.Trust != "" || s.Trust != TrustUnproven) {
			changes = append(changes, p.entry(now, "calibration", fn, old, s, trustText(old.Trust, s)))
			p.c.Logger.Info("calibration of forecasts", "function", fn, "before", old.Trust, "now", s.Trust, "coverage", s.Coverage)
		}
		if old.Target != s.Target || old.Reason != s.Reason {
			changes = append(changes, p.entry(now, "target", fn, old, s, p.targetText(old, s)))
		}
	}
	p.mu.Lock()
	p.state = state
	p.mu.Unlock()
	if p.c.Journal == nil || len(changes) == 0 {
		return nil
	}
	if err := p.c.Journal.Decide(ctx, changes...); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	return nil
}

func (p *Pool) entry(now time.Time, kind, fn string, old PoolState, s planned, reason string) Decision {
	data := targetData{
		Mode: p.c.Mode, Window: s.Planned, Length: p.c.Window, Before: old.Target, Target: s.Target, KeepAlive: s.KeepAlive, Floor: s.Floor,
		Arrivals: s.Arrivals, Instances: s.Instances, Coverage: s.Coverage, Trust: s.Trust,
		ColdStart: s.ColdStart, Service: s.Service, PriceSeconds: s.Price,
	}
	if s.Arrivals != nil {
		data.Levels = Quantiles[:]
	}
	text, err := json.Marshal(data)
	if err != nil {
		panic("BUG: control: " + err.Error()) // quantiles are finite
	}
	return Decision{Time: now, Controller: "pool", Kind: kind, Subject: fn, Reason: reason, Data: text}
}

func trustText(before Trust, s planned) string {
	if before == "" {
		before = TrustUnproven
	}
	share := 100 * s.Coverage
	switch s.Trust {
	case TrustFull:
		return fmt.Sprintf("forecasts are used: %.0f %% of recent windows lay in the nominal 90 %% interval (before: %s)", share, before)
	case TrustWidened:
		return fmt.Sprintf("forecasts are widened: only %.0f %% of recent windows lay in the nominal 90 %% interval", share)
	case TrustNone:
		return fmt.Sprintf("forecasts are not used, idle instances end after a fixed time: only %.0f %% of recent windows lay in the nominal 90 %% interval", share)
	case TrustOutdone:
		return fmt.Sprintf("forecasts are not used, idle instances end after a fixed time: it would have had %.1f cold starts and %s idle of late, forecasts %.1f and %s",
			s.Account.ColdFixed, s.Account.IdleFixed.Round(time.Second), s.Account.Cold, s.Account.Idle.Round(time.Second))
	case TrustUnproven:
		return "forecasts begin anew and are not used until they are proven"
	}
	return "there are no forecasts"
}

func (p *Pool) targetText(old PoolState, s planned) string {
	text := fmt.Sprintf("%d warm instead of %d", s.Target, old.Target)
	if s.Target == old.Target {
		text = fmt.Sprintf("%d warm as before", s.Target)
	}
	switch s.Reason {
	case "forecast":
		text += fmt.Sprintf(": %g to %g arrivals are expected (90 %%), %g as likely exceeded as not", s.Arrivals[0], s.Arrivals[3], s.Arrivals[1])
	case "floor":
		text += ": declared by min-scale or warm-schedule"
	case "cap":
		text += ": no more are allowed by max-scale or by what the machine has"
	case string(TrustUnproven):
		text += fmt.Sprintf(": forecasts are not proven yet, %d of %d windows scored, %d of %d with invocations, %.1f cold starts saved by now", min(s.Scored, trustAfter), trustAfter, min(s.Account.Windows, provenBy), provenBy, s.Account.Saved)
	case string(TrustOutdone):
		text += ": a fixed keep-alive did better of late"
	case "miscalibrated":
		text += ": forecasts have been wrong too often"
	default:
		text += ": there is no forecast"
	}
	if p.c.Mode == ModeRecommend {
		text += "; recommended only"
	}
	return text
}
