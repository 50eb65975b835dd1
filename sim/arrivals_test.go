package sim_test

import (
	"math"
	"testing"
	"time"

	"github.com/aquatope/aquatope/sim"
	"github.com/aquatope/aquatope/trace"
)

func TestArrivalsKeepCountsAndOrder(t *testing.T) {
	t.Parallel()
	tr := generated(20, 130)
	span := trace.Span{From: 7, To: 128}
	a := sim.NewArrivals(tr, span, sim.Uniform, 3)
	last := time.Duration(0)
	got := map[[2]int]int{}
	next := span.From
	var offset, service, n float64
	for {
		batch, minute, ok := a.Next()
		if !ok {
			break
		}
		if minute != next {
			t.Fatalf("minute %d after %d", minute, next-1)
		}
		next++
		for _, x := range batch {
			begin := time.Duration(minute) * time.Minute
			if x.At < last || x.At < begin || x.At >= begin+time.Minute {
				t.Fatalf("arrival at %v in minute %d after one at %v", x.At, minute, last)
			}
			last = x.At
			got[[2]int{x.Function, minute}]++
			offset += (x.At - begin).Seconds()
			service += x.Service.Seconds() * 1000
			n++
		}
	}
	if next != span.To {
		t.Errorf("ended at minute %d", next)
	}
	for f := range tr.Functions {
		for m, c := range tr.Functions[f].Counts.In(span) {
			if got[[2]int{f, m}] != c {
				t.Fatalf("function %d minute %d: %d arrivals, %d in the trace", f, m, got[[2]int{f, m}], c)
			}
		}
	}
	// Uniform within the minute: mean 30 s, standard error 17.3/sqrt(n).
	if math.Abs(offset/n-30) > 5*17.4/math.Sqrt(n) {
		t.Errorf("mean offset %v s of %v arrivals", offset/n, n)
	}
	// Percentiles 20, 150, 2000 ms at 0, 0.5, 1, geometric between: 13/ln 7.5 ... mean
	// (150-20)/2/ln(150/20) + (2000-150)/2/ln(2000/150) ms.
	want := 130/2/math.Log(7.5) + 1850/2/math.Log(2000.0/150)
	if math.Abs(service/n-want)/want > 0.05 {
		t.Errorf("mean service %v ms, want %v", service/n, want)
	}
}

func TestArrivalsAreReproducible(t *testing.T) {
	t.Parallel()
	tr := generated(10, 60)
	draw := func(seed uint64) []sim.Arrival {
		var all []sim.Arrival
		a := sim.NewArrivals(tr, tr.Covered, sim.Measured, seed)
		for {
			batch, _, ok := a.Next()
			if !ok {
				return all
			}
			all = append(all, batch...)
		}
	}
	one, two, other := draw(5), draw(5), draw(6)
	for i := range one {
		if one[i] != two[i] {
			t.Fatalf("arrival %d: %v and %v with one seed", i, one[i], two[i])
		}
	}
	if len(one) == 0 || one[0] == other[0] {
		t.Error("another seed draws the same")
	}
}

// A trace whose first minutes are quiet has arrivals all the same.
func TestQuietBeginning(t *testing.T) {
	t.Parallel()
	tr := &trace.Trace{Minutes: 3, Covered: trace.Span{To: 3}, Functions: make([]trace.Function, 1)}
	tr.Functions[0].Counts.Append(2, 1)
	tr.Functions[0].Duration = trace.Percentiles{Mean: 1, Levels: []float64{0, 1}, Values: []float64{1, 1}}
	a := sim.NewArrivals(tr, tr.Covered, sim.Measured, 1)
	for want := range 3 {
		batch, minute, ok := a.Next()
		if !ok || minute != want || len(batch) != want/2 {
			t.Errorf("minute %d: %d arrivals, ok %v", minute, len(batch), ok)
		}
	}
}
