package store_test

import (
	"fmt"
	"testing"

	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/store"
)

// BenchmarkObserve is an observation from the queue to the database.
func BenchmarkObserve(b *testing.B) {
	s := open(b, "", store.Config{})
	o := observation(1, "f")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Observe(o)
		if i%10_000 == 0 {
			must(b, s.Flush(b.Context())) // so that nothing is dropped
		}
	}
	must(b, s.Flush(b.Context()))
	if st := s.Stats(); st.DroppedObservations > 0 {
		b.Fatalf("dropped %d", st.DroppedObservations)
	}
}

// BenchmarkRecord is the summary of a one-stage run from the queue to the database.
func BenchmarkRecord(b *testing.B) {
	s := open(b, "", store.Config{})
	r := at(1, "w")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.ID = fmt.Sprintf("%026d", i)
		s.Record(r)
		if i%10_000 == 0 {
			must(b, s.Flush(b.Context()))
		}
	}
	must(b, s.Flush(b.Context()))
}

// BenchmarkSummaries reads 10,000 runs with their stages.
func BenchmarkSummaries(b *testing.B) {
	s := open(b, "", store.Config{})
	for i := range 10_000 {
		s.Record(at(i, "w"))
	}
	must(b, s.Flush(b.Context()))
	for _, stages := range []bool{false, true} {
		b.Run(fmt.Sprintf("stages=%v", stages), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Summaries(b.Context(), store.RunFilter{Workflow: "w", Since: start, Status: run.StatusCompleted}, stages); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
