package control_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
)

func TestLimit(t *testing.T) {
	each := function.Resources{CPU: 100, Memory: 100}
	for name, c := range map[string]struct {
		wants  []control.Want
		budget function.Resources
		want   []int
	}{
		"room for all":       {[]control.Want{{Target: 2, Each: each}, {Target: 1, Each: each}}, function.Resources{CPU: 500, Memory: 500}, []int{2, 1}},
		"max holds":          {[]control.Want{{Target: 9, Floor: 8, Max: 3, Each: each}}, function.Resources{CPU: 5000, Memory: 5000}, []int{3}},
		"floors come first":  {[]control.Want{{Target: 9, Worth: 5, Each: each}, {Floor: 3, Each: each}}, function.Resources{CPU: 500, Memory: 400}, []int{1, 3}},
		"floors always hold": {[]control.Want{{Floor: 3, Target: 5, Each: each}}, function.Resources{CPU: 100, Memory: 100}, []int{3}},
		"one each, then by worth": {
			[]control.Want{{Target: 3, Worth: 1, Each: each}, {Target: 3, Worth: 2, Each: each}},
			function.Resources{CPU: 1000, Memory: 300},
			[]int{1, 2},
		},
	} {
		if got := control.Limit(c.wants, c.budget); len(got) != len(c.want) || !equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func equal(a, b []int) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// Nothing exceeds its cap or what was wanted, and what goes beyond the floors
// fits into the budget.
func TestLimitHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 6).Draw(t, "functions")
		wants := make([]control.Want, n)
		small := rapid.IntRange(-2, 20)
		for i := range wants {
			wants[i] = control.Want{
				Floor: small.Draw(t, "floor"), Target: small.Draw(t, "target"), Max: rapid.IntRange(0, 10).Draw(t, "max"),
				Each: function.Resources{
					CPU: function.MilliCPU(rapid.IntRange(0, 50).Draw(t, "cpu")), Memory: function.Bytes(rapid.IntRange(0, 50).Draw(t, "memory")),
				},
				Worth: rapid.Float64().Draw(t, "worth"),
			}
		}
		budget := function.Resources{
			CPU: function.MilliCPU(rapid.IntRange(-5, 1000).Draw(t, "cpus")), Memory: function.Bytes(rapid.IntRange(-5, 1000).Draw(t, "memories")),
		}
		var used, floors function.Resources
		for i, got := range control.Limit(wants, budget) {
			w := wants[i]
			floor := max(0, w.Floor)
			if w.Max > 0 {
				floor = min(floor, w.Max)
			}
			if got < floor || got > max(w.Floor, w.Target, 0) || w.Max > 0 && got > w.Max {
				t.Fatalf("%d instances of %+v", got, w)
			}
			used.CPU += function.MilliCPU(got) * w.Each.CPU
			used.Memory += function.Bytes(got) * w.Each.Memory
			floors.CPU += function.MilliCPU(floor) * w.Each.CPU
			floors.Memory += function.Bytes(floor) * w.Each.Memory
		}
		if used.CPU > max(budget.CPU, floors.CPU) || used.Memory > max(budget.Memory, floors.Memory) {
			t.Fatalf("%v of %v used, floors are %v", used, budget, floors)
		}
	})
}
