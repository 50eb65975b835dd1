package tuner

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// triedAt are invocations at sizes of CPU, of which so many are slow.
func triedAt(sizes map[float64][2]int) []counted {
	var out []counted
	for cpu, n := range sizes {
		for i := range n[0] {
			out = count(out, math.Log(cpu), i < n[1])
		}
	}
	return out
}

func sharesAt(shares []slowShare, cpu float64) (least, mean, most float64) {
	least = 1
	for _, s := range shares {
		p := s.at(math.Log(cpu))
		least, mean, most = math.Min(least, p), mean+p/float64(len(shares)), math.Max(most, p)
	}
	return least, mean, most
}

// A throttled function: just above a size that is slow now and then nothing is sure
// after seven invocations that were not, and much more CPU is known to do.
func TestSharesEndAtAQuota(t *testing.T) {
	shares := learnShares([][]counted{triedAt(map[float64][2]int{0.2: {4, 2}, 0.25: {7, 0}, 0.4: {12, 0}, 0.8: {6, 0}})})[0]
	if _, mean, most := sharesAt(shares, 0.25); mean < 0.03 || most < 0.1 {
		t.Errorf("just above a slow size: %v, at most %v", mean, most)
	}
	if _, mean, most := sharesAt(shares, 0.6); mean > 0.02 || most > 0.1 {
		t.Errorf("with CPU enough: %v, at most %v", mean, most)
	}
	if least, _, _ := sharesAt(shares, 0.2); least < 0.05 {
		t.Errorf("where two in four were slow: as few as %v", least)
	}
}

// What is slow at any size is so where it was not tried, too.
func TestSharesThatAreAlwaysThere(t *testing.T) {
	counts := triedAt(map[float64][2]int{0.2: {20, 2}, 0.4: {20, 2}, 1: {20, 2}})
	_, mean, _ := sharesAt(learnShares([][]counted{counts})[0], 0.6)
	if mean < 0.06 || mean > 0.15 {
		t.Errorf("one in ten is slow everywhere: %v", mean)
	}
}

// Functions tell of one another as far as one's own invocations leave it open.
func TestSharesOfOthers(t *testing.T) {
	own := triedAt(map[float64][2]int{0.5: {8, 0}})
	with := func(hits int) float64 {
		all := [][]counted{own}
		for range 5 {
			all = append(all, triedAt(map[float64][2]int{0.5: {30, hits}}))
		}
		_, mean, _ := sharesAt(learnShares(all)[0], 0.5)
		return mean
	}
	if few, many := with(0), with(3); !(many > 3*few) {
		t.Errorf("share of slow ones is %v where others have none and %v where they have a tenth", few, many)
	}
}

// More CPU never makes slow invocations more likely, whatever was counted.
func TestSharesFallWithCPU(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var counts []counted
	for range 40 {
		cpu := math.Log(0.1 * float64(1+rng.IntN(20)))
		counts = count(counts, cpu, rng.Float64() < 0.2)
	}
	if !slices.IsSortedFunc(counts, func(a, b counted) int { return int(math.Copysign(1, a.cpu-b.cpu)) }) {
		t.Fatal("not by CPU")
	}
	for _, s := range learnShares([][]counted{counts})[0] {
		before := 1.0
		for cpu := 0.05; cpu < 4; cpu *= 1.1 {
			p := s.at(math.Log(cpu))
			if !(p >= 0 && p <= before) {
				t.Fatalf("%+v: share %v with %v cores, %v with less", s, p, cpu, before)
			}
			before = p
		}
	}
}
