package tuner

import (
	"math"
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
)

// measured returns the surface of a function that was tried at n CPUs, once climb has
// looked at it.
func measured(t *testing.T, n int, seconds func(cores float64) float64) *surface {
	t.Helper()
	rng := stats.Stream(5, "stairs")
	s, fit := fitSurface(t, wideSpace, overCPU(n, 0.05, rng, seconds))
	if err := s.explore(fit.around); err != nil {
		t.Fatal(err)
	}
	if err := climb([]*surface{s}, []fitted{fit}, rng); err != nil {
		t.Fatal(err)
	}
	return s
}

// Jumps at any CPU are found from eighteen invocations: what is flat is flat, and every
// edge is between what was tried on either side of it.
func TestStairs(t *testing.T) {
	s := measured(t, 18, func(cores float64) float64 {
		switch {
		case cores < 0.45:
			return 1
		case cores < 2.7:
			return 0.6
		}
		return 0.38
	})
	at := func(cores float64) []float64 {
		return s.input(function.Resources{CPU: function.MilliCPU(1000 * cores), Memory: function.GiB})
	}
	mean, _, _ := s.predict([][]float64{at(0.2), at(0.6), at(2), at(3.5), at(6)})
	for i, want := range []float64{1, 0.6, 0.6, 0.38, 0.38} {
		if math.Abs(mean[i]-math.Log(want)) > 0.07 {
			t.Errorf("point %d takes %.3f s, want %v", i, math.Exp(mean[i]), want)
		}
	}
	edges := map[float64]bool{}
	for k, v := range s.others {
		found := false
		for _, p := range v.pieces {
			if cores := math.Exp(p.from + s.middle[0]); cores > 0.3 && cores < 0.6 {
				found, edges[cores] = true, true
			}
		}
		if !found {
			t.Errorf("draw %d has no edge near 0.45 cores: %+v", k, v.pieces)
		}
	}
	if len(edges) < 4 {
		t.Errorf("%d places of an edge in %d draws: not spread over where it may be", len(edges), len(s.others))
	}
}

// A function that follows Amdahl's law is not taken for one of stairs.
func TestNoStairs(t *testing.T) {
	for _, n := range []int{7, 12, 18} {
		s := measured(t, n, func(cores float64) float64 { return 0.1 + 0.4/cores })
		for _, v := range s.others {
			if v.pieces != nil {
				t.Fatalf("of %d invocations: pieces from %v", n, v.pieces)
			}
		}
	}
}

// Where functions are of stairs most runs look for edges, elsewhere most try what would
// be recommended.
func TestRetries(t *testing.T) {
	smooth, flat := &surface{}, &surface{post: view{pieces: pieces{{-1, -0.5}}}}
	for _, c := range []struct {
		surfaces []*surface
		want     int
	}{
		{[]*surface{smooth, smooth, flat}, 6},
		{[]*surface{flat, nil, smooth}, 6},
		{[]*surface{flat, smooth, flat}, 3},
	} {
		got := 0
		for runs := range 18 {
			if b := (&belief{surfaces: c.surfaces}); b.retries(runs) {
				got++
			}
		}
		if got != c.want {
			t.Errorf("%d of 18 runs try what would be recommended, want %d", got, c.want)
		}
	}
}

// The evidence is the sum over all ways to cut.
func TestStairsEvidence(t *testing.T) {
	st := &stairs{
		cpu:   []float64{-1, -0.4, 0.1, 0.9, 1.5},
		sums:  []pieceSums{{}, {100, 80, 70, 90}, {150, 90, 73, 95}, {350, 80, 110, 60}, {400, 75, 118, 50}, {500, 40, 150, -20}},
		whole: []float64{0, -0.6, -1.1, -1.9, -2.5},
		jump:  []float64{0, -0.8, -0.93, -0.6, -0.8},
	}
	sc := scaled{noise: 0.5}
	st.sumUp(&sc)
	var want float64
	for cuts := range 1 << 4 {
		var log float64
		for i, from := 1, 0; i <= 5; i++ {
			if i == 5 || cuts>>(i-1)&1 == 1 {
				log += piece(st.sums[from], st.sums[i], sc.noise)
				if i < 5 {
					log += st.jump[i]
				}
				from = i
			} else {
				log += st.whole[i] - st.whole[i-1]
			}
		}
		want += math.Exp(log)
	}
	if got := sc.upTo[5]; math.Abs(got-math.Log(want)) > 1e-9 {
		t.Errorf("evidence %v, want %v", got, math.Log(want))
	}
}
