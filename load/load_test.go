package load_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/load"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/workflow"
)

func TestConstant(t *testing.T) {
	got := slices.Collect(load.Constant(2, 4, time.Second))
	want := []load.Arrival{{At: 0, Target: 2}, {At: 250 * time.Millisecond, Target: 2}, {At: 500 * time.Millisecond, Target: 2}, {At: 750 * time.Millisecond, Target: 2}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := slices.Collect(load.Constant(0, 0, time.Second)); got != nil {
		t.Errorf("rate 0: got %v", got)
	}
}

func TestPoissonHasItsMoments(t *testing.T) {
	const rate, seconds = 50, 400
	var gaps []float64
	last := time.Duration(0)
	n := 0
	for a := range load.Poisson(0, rate, seconds*time.Second, stats.Stream(1, "poisson")) {
		gaps = append(gaps, (a.At - last).Seconds())
		last = a.At
		n++
	}
	// The count has mean and variance rate*seconds = 20000: four standard
	// deviations are 566. Exponential gaps have a deviation equal to their mean.
	if math.Abs(float64(n-rate*seconds)) > 566 {
		t.Errorf("%d arrivals, want about %d", n, rate*seconds)
	}
	mean, square := 0.0, 0.0
	for _, g := range gaps {
		mean += g / float64(n)
		square += g * g / float64(n)
	}
	if cv := math.Sqrt(square-mean*mean) / mean; math.Abs(cv-1) > 0.05 {
		t.Errorf("coefficient of variation of gaps is %v, want 1", cv)
	}
}

func TestEqualSeedsGiveEqualSchedules(t *testing.T) {
	a := slices.Collect(load.Poisson(0, 20, 10*time.Second, stats.Stream(7, "a")))
	b := slices.Collect(load.Poisson(0, 20, 10*time.Second, stats.Stream(7, "a")))
	if !slices.Equal(a, b) {
		t.Error("equal seeds gave different schedules")
	}
}

// Every count lands in its interval, in order, and merging loses nothing.
func TestCountsAndMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.SliceOf(rapid.IntRange(0, 20)).Draw(t, "counts")
		interval := time.Duration(rapid.IntRange(1, 1e6).Draw(t, "interval"))
		targets := rapid.IntRange(1, 4).Draw(t, "targets")
		var schedules []load.Schedule
		for i := range targets {
			schedules = append(schedules, load.Counts(i, counts, interval, stats.Stream(uint64(i), "x")))
		}
		got := make([][]int, targets)
		for i := range got {
			got[i] = make([]int, len(counts))
		}
		last := time.Duration(0)
		for a := range load.Merge(schedules...) {
			if a.At < last {
				t.Fatalf("arrival at %v after one at %v", a.At, last)
			}
			last = a.At
			got[a.Target][int(a.At/interval)]++
		}
		for i := range got {
			if !slices.Equal(got[i], counts) {
				t.Fatalf("target %d: got counts %v, want %v", i, got[i], counts)
			}
		}
	})
}

func TestMergeCanBeLeftEarly(t *testing.T) {
	n := 0
	for range load.Merge(load.Constant(0, 1, time.Hour), load.Constant(1, 1, time.Hour)) {
		if n++; n == 5 {
			break
		}
	}
	if n != 5 {
		t.Errorf("got %d arrivals", n)
	}
}

func TestUntil(t *testing.T) {
	if got := len(slices.Collect(load.Until(load.Constant(0, 10, time.Hour), time.Second))); got != 10 {
		t.Errorf("got %d arrivals, want 10", got)
	}
}

// One request that hangs for two seconds must not delay the others (the loop
// is open), and what it delayed must show in the latencies that it caused.
func TestRunIsOpenLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var samples []load.Sample
		sent := load.Run(t.Context(), load.Constant(0, 10, time.Second), func(_ context.Context, a load.Arrival) load.Answer {
			if a.At == 0 {
				time.Sleep(2 * time.Second)
			}
			return load.Answer{Status: 200}
		}, func(s load.Sample) { samples = append(samples, s) }, load.Options{})
		if sent != 10 || len(samples) != 10 {
			t.Fatalf("sent %d, recorded %d, want 10", sent, len(samples))
		}
		for _, s := range samples {
			want := time.Duration(0)
			if s.At == 0 {
				want = 2 * time.Second
			}
			if s.Latency != want || s.Lag != 0 {
				t.Errorf("arrival at %v: latency %v, lag %v; want %v, 0", s.At, s.Latency, s.Lag, want)
			}
		}
	})
}

// With one slot the second request waits for the first. A generator that
// measured from the time of sending would report 1 s for both.
func TestLatencyIsMeasuredFromWhenTheRequestWasDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var latencies []time.Duration
		load.Run(t.Context(), load.Constant(0, 10, 200*time.Millisecond), func(context.Context, load.Arrival) load.Answer {
			time.Sleep(time.Second)
			return load.Answer{Status: 200}
		}, func(s load.Sample) { latencies = append(latencies, s.Latency) }, load.Options{MaxInFlight: 1})
		want := []time.Duration{time.Second, 1900 * time.Millisecond}
		if !slices.Equal(latencies, want) {
			t.Errorf("latencies %v, want %v", latencies, want)
		}
	})
}

func TestRunStopsSendingWhenCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 450*time.Millisecond)
		defer cancel()
		n := 0
		sent := load.Run(ctx, load.Constant(0, 10, time.Hour), func(context.Context, load.Arrival) load.Answer {
			return load.Answer{Status: 200}
		}, func(load.Sample) { n++ }, load.Options{})
		if sent != 5 || n != 5 {
			t.Errorf("sent %d, recorded %d, want 5", sent, n)
		}
	})
}

func TestSummarise(t *testing.T) {
	sample := func(ms int, status int, err string) load.Sample {
		return load.Sample{Latency: time.Duration(ms) * time.Millisecond, Answer: load.Answer{Status: status, Error: err}}
	}
	qos := workflow.QoS{Latency: 100 * time.Millisecond, Percentile: 50}
	got := load.Summarise("w", qos, []load.Sample{
		sample(10, 200, ""), sample(90, 200, ""), sample(100, 200, ""), sample(110, 200, ""),
		sample(1, 503, "busy"), sample(1, 500, "broken"),
	})
	want := load.Summary{
		Target: "w", QoS: qos, Runs: 6, Failed: 2, Rejected: 1, Violations: 3, Met: true,
		P50: 95 * time.Millisecond, P95: 108500 * time.Microsecond, P99: 109700 * time.Microsecond, Max: 110 * time.Millisecond,
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if s := load.Summarise("w", qos, []load.Sample{sample(200, 200, ""), sample(1, 200, ""), sample(200, 200, "")}); s.Met {
		t.Error("2 violations of 3 met a promise about half of the runs")
	}
	// One of ten is exactly a tenth, though 1 - 90/100 is a little less in binary.
	tenth := workflow.QoS{Latency: 100 * time.Millisecond, Percentile: 90}
	if s := load.Summarise("w", tenth, append(slices.Repeat([]load.Sample{sample(1, 200, "")}, 9), sample(200, 200, ""))); !s.Met {
		t.Error("1 violation of 10 broke a promise about 90 %")
	}
	if s := load.Summarise("w", workflow.QoS{}, nil); !s.Met || s.ViolationRate() != 0 {
		t.Error("nothing promised, nothing run: the promise is met")
	}
}
