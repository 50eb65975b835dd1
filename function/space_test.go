package function_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/function"
)

func drawRange(t *rapid.T) function.Range {
	low := rapid.Int64Range(1, 1000).Draw(t, "min")
	step := rapid.Int64Range(1, 50).Draw(t, "step")
	return function.Range{Min: low, Max: low + step*rapid.Int64Range(0, 40).Draw(t, "steps"), Step: step}
}

// A range agrees with the list of its values.
func TestRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRange(t)
		if err := r.Validate(); err != nil {
			t.Fatal(err)
		}
		var values []int64
		for v := r.Min; v <= r.Max; v += r.Step {
			values = append(values, v)
		}
		if r.Len() != len(values) {
			t.Fatalf("%+v: Len %d, want %d", r, r.Len(), len(values))
		}
		v := rapid.Int64Range(-10, 3100).Draw(t, "v")
		nearest, above, member := values[0], r.Max, false
		for i, x := range values {
			if r.At(i) != x || r.Index(x) != i {
				t.Fatalf("%+v: At(%d) = %d and Index(%d) = %d", r, i, r.At(i), x, r.Index(x))
			}
			if abs(x-v) < abs(nearest-v) {
				nearest = x
			}
			if x >= v {
				above = min(above, x)
			}
			member = member || x == v
		}
		if r.Contains(v) != member || r.Snap(v) != nearest || r.SnapUp(v) != above {
			t.Errorf("%+v, %d: Contains %v want %v, Snap %d want %d, SnapUp %d want %d",
				r, v, r.Contains(v), member, r.Snap(v), nearest, r.SnapUp(v), above)
		}
		if c := r.Clamp(v); c < r.Min || c > r.Max || v >= r.Min && v <= r.Max && c != v {
			t.Errorf("%+v: Clamp(%d) = %d", r, v, c)
		}
	})
}

func abs(v int64) int64 { return max(v, -v) }

func TestRangeValidate(t *testing.T) {
	for want, r := range map[string]function.Range{
		"minimum 0 is not positive": {Min: 0, Max: 1, Step: 1},
		"maximum 1 is below":        {Min: 2, Max: 1, Step: 1},
		"step 0 is not positive":    {Min: 1, Max: 2},
		"does not divide":           {Min: 1, Max: 10, Step: 4},
	} {
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q", r, err, want)
		}
	}
	if err := function.Fixed(7).Validate(); err != nil {
		t.Error(err)
	}
	s := function.Space{CPU: function.Fixed(1), Memory: function.Range{Min: 1}}
	if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), "memory range: ") {
		t.Errorf("error %v, want one about the memory range", err)
	}
}

func TestSpace(t *testing.T) {
	s := function.Space{
		CPU:    function.Range{Min: 100, Max: 1000, Step: 100},
		Memory: function.Range{Min: int64(64 * function.MiB), Max: int64(256 * function.MiB), Step: int64(64 * function.MiB)},
	}
	if s.Len() != 40 {
		t.Errorf("%d configurations, want 40", s.Len())
	}
	odd := function.Resources{CPU: 149, Memory: 200 * function.MiB}
	want := function.Resources{CPU: 100, Memory: 192 * function.MiB}
	if got := s.Snap(odd); got != want || s.Contains(odd) || !s.Contains(got) {
		t.Errorf("Snap(%s) = %s, want %s", odd, got, want)
	}
	if !s.Contains(s.Smallest()) || !s.Contains(s.Largest()) || s.Smallest().String() != "100m/64Mi" || s.Largest().String() != "1/256Mi" {
		t.Errorf("from %s to %s", s.Smallest(), s.Largest())
	}
}
