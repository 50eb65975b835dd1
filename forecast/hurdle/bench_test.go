package hurdle_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/hurdle"
	"github.com/aquatope/aquatope/trace"
)

// BenchmarkForecast predicts one window of 10,000 functions, which must take
// less than a second.
func BenchmarkForecast(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			tr := synthetic(400, 9)
			var all []*forecast.History
			for len(all) < n {
				all = append(all, histories(tr, trace.Span{To: 1200})...)
			}
			all = all[:n]
			f := small().New()
			f.Forecast(all, 1)
			for b.Loop() {
				for _, h := range all {
					h.Advance(h.Next() + 1)
				}
				f.Forecast(all, 1)
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N*n), "µs/function")
		})
	}
}

// BenchmarkFirstForecast is the same for histories of a day that were never
// seen.
func BenchmarkFirstForecast(b *testing.B) {
	tr := synthetic(400, 9)
	var all []*forecast.History
	for len(all) < 10_000 {
		all = append(all, histories(tr, trace.Span{To: 1200})...)
	}
	all = all[:10_000]
	for b.Loop() {
		small().New().Forecast(all, 1)
	}
}

// BenchmarkTrain trains the global model on 150 functions and seven days, which
// must take less than two minutes.
func BenchmarkTrain(b *testing.B) {
	tr, err := trace.Generator{Functions: 150, Days: 7}.Generate(rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		b.Fatal(err)
	}
	data := histories(tr, trace.Span{To: tr.Minutes})
	for b.Loop() {
		if _, err := (hurdle.Learner{}).Train(data, forecast.Budget{}, rand.New(rand.NewPCG(1, 1))); err != nil {
			b.Fatal(err)
		}
	}
}
