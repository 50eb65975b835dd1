package bayesopt_test

import (
	"math"
	"testing"

	"github.com/aquatope/aquatope/bayesopt"
)

// The expected values are scipy.stats.qmc.Sobol's (scipy 1.10, bits=30), whose
// row i is our point gray(i).
func TestSobolAgainstSciPy(t *testing.T) {
	s := bayesopt.NewSobol(256)
	for _, c := range []struct {
		i    uint32
		d    int
		want float64
	}{
		{1, 0, 0.5},
		{5, 1, 0.875},
		{7, 2, 0.375},
		{13, 10, 0.8125},
		{37, 63, 0.828125},
		{50, 127, 0.578125},
		{63, 255, 0.046875},
	} {
		if got := s.Point(c.i ^ c.i>>1)[c.d]; got != c.want {
			t.Errorf("point %d, dimension %d: %v, want %v", c.i, c.d, got, c.want)
		}
	}
}

// Scrambled or not, of 2^k points exactly one lies in each of the 2^k equal
// intervals, in every dimension.
func TestSobolIsStratified(t *testing.T) {
	for name, s := range map[string]bayesopt.Sobol{
		"plain":     bayesopt.NewSobol(256),
		"scrambled": bayesopt.NewSobol(256).Scrambled(42),
	} {
		const n = 64
		seen := make([][n]bool, 256)
		for i := range uint32(n) {
			for d, x := range s.Point(i) {
				if c := int(x * n); seen[d][c] {
					t.Fatalf("%s: dimension %d has two points in interval %d", name, d, c)
				} else {
					seen[d][c] = true
				}
			}
		}
	}
}

// The integral of Π 2x over 8 dimensions is 1; quasi-random points come closer
// than the 0.09 that is one standard error of as many random ones.
func TestScrambledSobolIntegrates(t *testing.T) {
	var worst float64
	for seed := range uint64(20) {
		s := bayesopt.NewSobol(8).Scrambled(seed)
		var sum float64
		for i := range uint32(1024) {
			v := 1.0
			for _, x := range s.Point(i) {
				v *= 2 * x
			}
			sum += v / 1024
		}
		worst = math.Max(worst, math.Abs(sum-1))
	}
	if worst > 0.06 {
		t.Errorf("worst error of 20 scramblings: %v", worst)
	}
}

func TestNormalsHaveUnitMoments(t *testing.T) {
	var sum, square float64
	for _, row := range bayesopt.NewSobol(3).Scrambled(1).Normals(1024) {
		sum += row[2]
		square += row[2] * row[2]
	}
	if math.Abs(sum/1024) > 0.01 || math.Abs(square/1024-1) > 0.02 {
		t.Errorf("mean %v, second moment %v", sum/1024, square/1024)
	}
}
