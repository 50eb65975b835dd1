// Command ml-pipeline holds the functions of the ml-pipeline example: a photo
// of a street is resized, signs are found in it, and two classifiers read
// their shapes and their digits. The networks behind them are trained when the
// example is built.
package main

import "github.com/aquatope/aquatope/examples/fn"

func main() {
	fn.Main(fn.Set{
		"resize":         fn.Pure(resize),
		"detect":         startDetector,
		"classify-shape": startClassifier("shape"),
		"classify-digit": startClassifier("digit"),
	}, prepare)
}
