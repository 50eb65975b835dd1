package trace_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/trace"
)

func generate(t *testing.T, g trace.Generator, seed uint64) *trace.Trace {
	t.Helper()
	tr, err := g.Generate(rand.New(rand.NewPCG(seed, 0)))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestGenerateIsSeeded(t *testing.T) {
	t.Parallel()
	g := trace.Generator{Functions: 30, Days: 2}
	a, b, c := generate(t, g, 1), generate(t, g, 1), generate(t, g, 2)
	if d := cmp.Diff(a.Summarize(), b.Summarize()); d != "" {
		t.Errorf("equal seeds differ: %s", d)
	}
	if cmp.Equal(a.Summarize(), c.Summarize()) {
		t.Error("other seed, same trace")
	}
}

// TestGenerateIsRealistic: the mix that traces of platforms have.
func TestGenerateIsRealistic(t *testing.T) {
	t.Parallel()
	tr := generate(t, trace.Generator{Functions: 600, Days: 7}, 5)
	s := tr.Summarize()
	if s.Functions != 600 || s.Triggers["timer"] < 60 || s.Triggers["orchestration"] < 60 {
		t.Errorf("%d functions, triggers %v", s.Functions, s.Triggers)
	}
	if s.Rare < 100 || s.Busy < 20 || s.Busy > 300 {
		t.Errorf("%d rare and %d busy functions", s.Rare, s.Busy)
	}
	if s.Durations != 600 || s.Memories != 600 {
		t.Errorf("durations of %d and memory of %d functions", s.Durations, s.Memories)
	}
}

// TestCountsRoundTrip writes all days and reads them back.
func TestCountsRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		g := trace.Generator{Functions: rapid.IntRange(1, 5).Draw(rt, "functions"), Days: rapid.IntRange(1, 3).Draw(rt, "days")}
		tr := generate(t, g, rapid.Uint64().Draw(rt, "seed"))
		fsys := fstest.MapFS{}
		var b bytes.Buffer
		for d := range g.Days {
			b.Reset()
			if err := tr.WriteCounts(&b, d, true); err != nil {
				rt.Fatal(err)
			}
			fsys["invocations_per_function_md.anon.d0"+string(rune('1'+d))+".csv"] = &fstest.MapFile{Data: bytes.Clone(b.Bytes())}
		}
		b.Reset()
		if err := tr.WriteDurations(&b); err != nil {
			rt.Fatal(err)
		}
		fsys["function_durations_percentiles.anon.all.csv"] = &fstest.MapFile{Data: bytes.Clone(b.Bytes())}
		b.Reset()
		if err := tr.WriteMemory(&b); err != nil {
			rt.Fatal(err)
		}
		fsys["function_memory_percentiles.all.csv"] = &fstest.MapFile{Data: bytes.Clone(b.Bytes())}
		folder, err := trace.OpenFolder(fsys)
		if err != nil {
			rt.Fatal(err)
		}
		back, err := folder.Load()
		if err != nil {
			rt.Fatal(err)
		}
		whole := trace.Span{To: tr.Minutes}
		for i := range tr.Functions {
			f, got := &tr.Functions[i], &back.Functions[i]
			if f.ID != got.ID || !cmp.Equal(f.Counts.Dense(nil, whole), got.Counts.Dense(nil, whole)) {
				rt.Fatalf("function %s came back different", f.ID)
			}
			for _, p := range []float64{0.01, 0.5, 0.99} {
				if a, b := f.Duration.Quantile(p), got.Duration.Quantile(p); a < b*0.999 || a > b*1.001 {
					rt.Fatalf("%v-quantile of durations %v became %v", p, a, b)
				}
				if a, b := f.Memory.Quantile(p), got.Memory.Quantile(p); a < b*0.999 || a > b*1.001 {
					rt.Fatalf("%v-quantile of memory %v became %v", p, a, b)
				}
			}
		}
	})
}
