package experiment

import (
	"cmp"
	"math"
	"slices"
)

// curve is the trade-off of one policy: its points that no other of its points
// beats in both, in order of falling cold starts and rising idle memory.
type curve []PoolResult

func curves(results []PoolResult) (names []string, of map[string]curve) {
	of = map[string]curve{}
	for _, r := range results {
		if _, ok := of[r.Policy]; !ok {
			names = append(names, r.Policy)
		}
		of[r.Policy] = append(of[r.Policy], r)
	}
	for n, c := range of {
		of[n] = c.frontier()
	}
	return names, of
}

func (c curve) frontier() curve {
	s := slices.Clone(c)
	slices.SortStableFunc(s, func(a, b PoolResult) int {
		return cmp.Or(cmp.Compare(a.IdleMemoryGBSeconds, b.IdleMemoryGBSeconds), cmp.Compare(a.ColdStarts, b.ColdStarts))
	})
	out := s[:0:0]
	for _, p := range s {
		if len(out) == 0 || p.ColdStarts < out[len(out)-1].ColdStarts {
			out = append(out, p)
		}
	}
	return out
}

// idleAt interpolates the idle memory at a number of cold starts, linearly in
// the logarithm of cold starts. It reports false outside of the curve.
func (c curve) idleAt(cold float64) (float64, bool) {
	for i := 1; i < len(c); i++ {
		a, b := c[i-1], c[i] // a has more cold starts
		if cold > a.ColdStarts || cold < b.ColdStarts {
			continue
		}
		la, lb := math.Log1p(a.ColdStarts), math.Log1p(b.ColdStarts)
		f := (la - math.Log1p(cold)) / (la - lb)
		return a.IdleMemoryGBSeconds + f*(b.IdleMemoryGBSeconds-a.IdleMemoryGBSeconds), true
	}
	return 0, false
}

// coldAt returns the cold starts at a share of the way down the curve, in their
// logarithm.
func (c curve) coldAt(share float64) float64 {
	if len(c) == 0 {
		return math.NaN()
	}
	high, low := math.Log1p(c[0].ColdStarts), math.Log1p(c[len(c)-1].ColdStarts)
	return math.Min(math.Max(math.Expm1(high+share*(low-high)), c[len(c)-1].ColdStarts), c[0].ColdStarts)
}

// Saving compares the own policy with a point of a peer at equal cold starts.
type Saving struct {
	Peer       string  `json:"peer"`
	Parameter  float64 `json:"parameter"`
	ColdStarts float64 `json:"coldStarts"`
	PeerIdle   float64 `json:"peerIdleGBSeconds"`
	OwnIdle    float64 `json:"ownIdleGBSeconds"`
	// Saved is the share of the peer's idle memory that the own policy does
	// not need; negative where the peer wins.
	Saved float64 `json:"saved"`
	// Of the seeds one by one, the least and the most that is saved against the
	// same parameter of the peer; equal to Saved with one seed.
	SavedLeast float64 `json:"savedLeast"`
	SavedMost  float64 `json:"savedMost"`
}

const (
	ownPolicy    = "aquatope"
	oraclePolicy = "oracle"
)

// savings compares the own policy with every point on every peer's curve that
// lies within the range of cold starts that the own curve covers.
func savings(results []PoolResult) []Saving {
	names, of := curves(results)
	own := of[ownPolicy]
	out := []Saving{}
	for _, n := range names {
		if n == ownPolicy || n == oraclePolicy {
			continue
		}
		for _, p := range of[n] {
			idle, ok := own.idleAt(p.ColdStarts)
			if !ok || p.IdleMemoryGBSeconds <= 0 {
				continue
			}
			out = append(out, Saving{
				Peer: n, Parameter: p.Parameter, ColdStarts: p.ColdStarts,
				PeerIdle: p.IdleMemoryGBSeconds, OwnIdle: idle, Saved: 1 - idle/p.IdleMemoryGBSeconds,
			})
		}
	}
	return out
}

// overSeeds fills in what the seeds one by one say of savings that were computed
// from their mean.
func overSeeds(all []Saving, seeds [][]PoolResult) []Saving {
	for i := range all {
		s := &all[i]
		s.SavedLeast, s.SavedMost = s.Saved, s.Saved
		if len(seeds) < 2 {
			continue
		}
		first := true
		for _, results := range seeds {
			_, of := curves(results)
			at := slices.IndexFunc(results, func(r PoolResult) bool { return r.Policy == s.Peer && r.Parameter == s.Parameter })
			idle, ok := of[ownPolicy].idleAt(results[at].ColdStarts)
			if !ok || results[at].IdleMemoryGBSeconds <= 0 {
				continue // outside of this seed's curve
			}
			saved := 1 - idle/results[at].IdleMemoryGBSeconds
			if first {
				s.SavedLeast, s.SavedMost, first = saved, saved, false
			}
			s.SavedLeast, s.SavedMost = min(s.SavedLeast, saved), max(s.SavedMost, saved)
		}
	}
	return all
}
