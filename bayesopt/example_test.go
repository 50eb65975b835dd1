package bayesopt_test

import (
	"fmt"
	"log"
	"math"
	"math/rand/v2"

	"github.com/aquatope/aquatope/bayesopt"
)

// The cheapest size of a machine that answers within a second, where an answer
// can only be measured, and never twice the same.
func ExampleStudy() {
	rng := rand.New(rand.NewPCG(1, 2))
	measure := func(cpu float64) (cost, seconds float64) { // cpu of 0 to 1 stands for 0 to 4 cores
		seconds = (0.1 + 1.2/(0.2+4*cpu)) * math.Exp(0.02*rng.NormFloat64())
		return seconds * (0.2 + 4*cpu), seconds
	}
	study, err := bayesopt.NewStudy(bayesopt.Options{Dim: 1, Constraints: 1, Acquisition: bayesopt.LogNoisyEI})
	if err != nil {
		log.Fatal(err)
	}
	for range 6 {
		batch, err := study.Ask(2, rng)
		if err != nil {
			log.Fatal(err)
		}
		for _, x := range batch {
			cost, seconds := measure(x[0])
			err := study.Tell(bayesopt.Observation{X: x, Objective: cost, Constraints: []float64{seconds - 1}})
			if err != nil {
				log.Fatal(err)
			}
		}
	}
	best, feasible, err := study.Best()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.1f cores, kept: %v\n", 4*best[0], feasible)
	// Output: 1.1 cores, kept: true
}

// Points that fill the square more evenly than chance does.
func ExampleSobol() {
	s := bayesopt.NewSobol(2)
	for i := range uint32(4) {
		fmt.Println(s.Point(i))
	}
	// Output:
	// [0 0]
	// [0.5 0.5]
	// [0.25 0.75]
	// [0.75 0.25]
}
