package gp_test

import (
	"fmt"
	"log"

	"github.com/aquatope/aquatope/gp"
)

// A function that was measured at five points is predicted between them.
func ExampleModel_Fit() {
	data := gp.Data{
		X: [][]float64{{0}, {1}, {2}, {3}, {4}}, // one row for each observation, Dim elements each
		Y: []float64{0, 0.84, 0.91, 0.14, -0.76},
	}
	model := &gp.Model{
		Dim: 1,
		// In the order of Params: length-scale, variance, noise, mean.
		Priors: []gp.Prior{gp.Normal{SD: 1}, gp.Normal{SD: 1}, gp.Normal{Mean: -8, SD: 1}, gp.Normal{SD: 1}},
	}
	params, _, err := model.Fit(data, gp.FitOptions{})
	if err != nil {
		log.Fatal(err)
	}
	posterior, err := model.Condition(data, params)
	if err != nil {
		log.Fatal(err)
	}
	mean, variance := posterior.Predict([]float64{2.5})
	fmt.Printf("%.1f, known well: %v\n", mean, variance < 0.01)
	mean, variance = posterior.Predict([]float64{20})
	fmt.Printf("far away %.1f, known well: %v\n", mean, variance < 0.01)
	// Output:
	// 0.6, known well: true
	// far away -0.2, known well: false
}

// An observation that the others do not explain.
func ExamplePosterior_Outliers() {
	data := gp.Data{
		X: [][]float64{{0}, {1}, {2}, {3}, {4}, {5}},
		Y: []float64{0, 0.1, 0.2, 2.5, 0.4, 0.5},
	}
	// Logarithms of length-scale, variance and noise variance, then the mean.
	posterior, err := (&gp.Model{Dim: 1}).Condition(data, gp.Params{1, 0, -5, 0})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(posterior.Outliers(3))
	// Output: [false false false true false false]
}
