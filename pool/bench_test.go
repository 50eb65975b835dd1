package pool_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/hurdle"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/trace"
)

// BenchmarkPlan is the time of one control step: the forecasts of one window and
// the decisions over them, for functions that have half a day of history.
func BenchmarkPlan(b *testing.B) {
	const seen, minutes = 250, 12 * 60
	r := rand.New(rand.NewPCG(1, 2))
	t, err := trace.Generator{Functions: seen, Days: 1}.Generate(r)
	if err != nil {
		b.Fatal(err)
	}
	var data []*forecast.History
	for i := range t.Functions {
		data = append(data, forecast.FromTrace(t, &t.Functions[i], trace.Span{To: minutes}))
	}
	begin := time.Now()
	model, err := hurdle.Learner{}.Train(data, forecast.Budget{Continue: func() bool { return time.Since(begin) < 10*time.Second }}, r)
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1000, 10_000, 50_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			fns := make([]pool.Function, n)
			histories := map[string]*forecast.History{}
			for i := range fns {
				f := t.Functions[i%seen]
				f.ID.Function += fmt.Sprint("-", i)
				fns[i] = pool.Function{Name: f.ID.String(), Memory: 2e8, ColdStart: time.Second, Service: 500 * time.Millisecond}
				histories[fns[i].Name] = forecast.FromTrace(t, &f, trace.Span{To: minutes})
			}
			p := pool.NewAquatope(nil, model.New(), pool.Config{Price: 100})
			p.SetFunctions(fns, histories)
			states := make([]pool.State, n)
			minute := minutes
			step := func() {
				for i := range states {
					states[i].Arrivals = int(t.Functions[i%seen].Counts.At(minute % t.Minutes))
				}
				minute++
				at := time.Duration(minute) * time.Minute
				for i := range states {
					if states[i].Arrivals > 0 {
						p.Arrive(pool.Event{Function: i, At: at - time.Duration(1+i%59)*time.Second, Busy: 1})
					}
				}
				p.Plan(&pool.Snapshot{Now: at - 2*time.Second, Next: at, Window: time.Minute, States: states})
			}
			step() // the first builds features from the whole history
			for b.Loop() {
				step()
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/plan")
		})
	}
}
