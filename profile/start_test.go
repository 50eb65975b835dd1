package profile_test

import (
	"math"
	"slices"
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/profile"
)

func TestColdStartsDependOnCPU(t *testing.T) {
	// 0.8, 1 and 1.2 s with 1 CPU, each at another memory, and a quarter of that with
	// 4: halfway in the logarithm each quantile is half.
	told := func(p *profile.Profile) {
		f := &p.Functions[0]
		f.ColdStartMillis = nil
		for i := range f.Grid {
			f.Grid[i].ColdStartMillis = []float64{[]float64{800, 1000, 1200}[i%3] * 1000 / float64(f.Grid[i].CPUMillis)}
		}
	}
	for _, c := range []struct {
		name   string
		change func(p *profile.Profile)
		cpu    function.MilliCPU
		want   []float64
	}{
		{"not told", func(*profile.Profile) {}, 1000, []float64{0.25, 0.3}},
		{"least", told, 1000, []float64{0.8, 1, 1.2}},
		{"between", told, 2000, []float64{0.433, 0.5, 0.567}},
		{"most", told, 4000, []float64{0.2, 0.25, 0.3}},
		{"beyond", told, 8000, []float64{0.2, 0.25, 0.3}},
		{"told of one CPU only", func(p *profile.Profile) {
			p.Functions[0].ColdStartMillis = []float64{100}
			p.Functions[0].Grid[0].ColdStartMillis = []float64{300}
		}, 1000, []float64{0.1, 0.3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := small()
			c.change(p)
			m, err := profile.New(p)
			if err != nil {
				t.Fatal(err)
			}
			f := m.Functions[0]
			got := f.ColdStarts(function.Resources{CPU: c.cpu, Memory: 128 * function.MiB})
			if !slices.EqualFunc(got, c.want, func(a, b float64) bool { return math.Abs(a-b) < 0.002 }) {
				t.Errorf("%v, want %v", got, c.want)
			}
			same := f.WithColdStarts([]float64{3, 2})
			if got := same.ColdStarts(function.Resources{CPU: c.cpu, Memory: 128 * function.MiB}); !slices.Equal(got, []float64{2, 3}) {
				t.Errorf("given 2 and 3 s: %v", got)
			}
		})
	}
	p := small()
	p.Functions[0].Grid[1].ColdStartMillis = []float64{-1}
	if _, err := profile.New(p); err == nil {
		t.Error("a negative start in a cell is accepted")
	}
}
