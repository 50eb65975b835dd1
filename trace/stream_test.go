package trace_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/trace"
)

// TestStream: whatever spans are loaded, the counts are the same, and no others
// are held.
func TestStream(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		g := trace.Generator{Functions: rapid.IntRange(1, 8).Draw(rt, "functions"), Days: 1}
		seed := rapid.Uint64().Draw(rt, "seed")
		whole, parts := stream(rt, g, seed), stream(rt, g, seed)
		all := trace.Span{To: whole.Trace.Minutes}
		whole.Load(all)
		if n := whole.Trace.Invocations(all); n != whole.Invocations || len(whole.Trace.Functions) != g.Functions {
			rt.Fatalf("%d invocations of %d functions, told %d of %d", n, len(whole.Trace.Functions), whole.Invocations, g.Functions)
		}
		furthest := 0
		for from := 0; from < all.To; {
			span := trace.Span{From: from, To: from + rapid.IntRange(1, 600).Draw(rt, "length")}
			parts.Load(span)
			furthest = max(furthest, span.To)
			for i := range whole.Trace.Functions {
				a, b := whole.Trace.Functions[i], parts.Trace.Functions[i]
				if !slices.Equal(a.Counts.Dense(nil, span), b.Counts.Dense(nil, span)) {
					rt.Fatalf("function %d has other counts in %v", i, span)
				}
				if b.Counts.Sum(all) != b.Counts.Sum(trace.Span{From: from, To: furthest}) || a.Counts.Max() != whole.Busiest[i] || a.Duration.Mean != b.Duration.Mean {
					rt.Fatalf("function %d holds more than was loaded, or its busiest minute has not %d", i, whole.Busiest[i])
				}
			}
			from = span.To - rapid.IntRange(0, span.Len()-1).Draw(rt, "overlap")
		}
	})
}

// TestStreamResemblesGenerate: a stream has the mix that Generate makes.
func TestStreamResemblesGenerate(t *testing.T) {
	t.Parallel()
	g := trace.Generator{Functions: 1200, Days: 2}
	s := stream(t, g, 4)
	s.Load(trace.Span{To: s.Trace.Minutes})
	got, want := s.Trace.Summarize(), generate(t, g, 4).Summarize()
	near := func(what string, a, b, within int) {
		if a < b*(100-within)/100 || a > b*(100+within)/100 {
			t.Errorf("%s: %d, Generate makes %d", what, a, b)
		}
	}
	near("rare functions", got.Rare, want.Rare, 20)
	near("busy functions", got.Busy, want.Busy, 20)
	near("timers", got.Triggers["timer"], want.Triggers["timer"], 20)
	near("callees", got.Triggers["orchestration"], want.Triggers["orchestration"], 20)
}

func stream(t interface{ Fatal(...any) }, g trace.Generator, seed uint64) *trace.Stream {
	s, err := g.Stream(seed)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
