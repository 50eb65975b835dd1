package load

import (
	"context"
	"sync"
	"time"
)

// Answer is how a request ended, as its sender saw it.
type Answer struct {
	RunID  string
	Status int    // HTTP status; 0 when no answer came
	Error  string // empty for a run that ended well
}

// Sample is one request that was sent.
type Sample struct {
	Arrival
	Answer
	// Lag is how late the request was sent. It is part of Latency.
	Lag time.Duration
	// Latency is the time from when the request was due until it was answered.
	Latency time.Duration
}

// Options are how Run sends. The zero value is usable.
type Options struct {
	// MaxInFlight bounds the requests that await an answer, to protect the
	// generator's memory; 0 means 4096. A request that is due while as many
	// are under way waits, and its waiting counts as Lag and Latency.
	MaxInFlight int
}

// Run sends every arrival of the schedule when it is due and hands each sample
// to record, one at a time. When ctx is done it sends nothing more; requests
// that are under way get the same ctx. It returns when all have ended, with
// the number of arrivals that were sent.
func Run(ctx context.Context, s Schedule, send func(context.Context, Arrival) Answer, record func(Sample), o Options) int {
	if o.MaxInFlight == 0 {
		o.MaxInFlight = 4096
	}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex // serialises record
		slots = make(chan struct{}, o.MaxInFlight)
		sent  int
		start = time.Now()
	)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for a := range s {
		if !sleepUntil(ctx, timer, start.Add(a.At)) {
			break
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		sent++
		wg.Go(func() {
			defer func() { <-slots }()
			lag := time.Since(start) - a.At
			answer := send(ctx, a)
			sample := Sample{Arrival: a, Answer: answer, Lag: lag, Latency: time.Since(start) - a.At}
			mu.Lock()
			defer mu.Unlock()
			record(sample)
		})
	}
	wg.Wait()
	return sent
}

// sleepUntil waits for a moment; false means that ctx was done before.
func sleepUntil(ctx context.Context, timer *time.Timer, t time.Time) bool {
	d := time.Until(t)
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer.Reset(d)
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
