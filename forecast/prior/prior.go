// Package prior holds a forecaster that is trained already, for servers that
// have no history of their own yet. It learnt from a synthetic trace only, see
// package train; what it does on real traces is in docs/explanation/scheduler.md.
package prior

import (
	"bytes"
	_ "embed"

	"github.com/aquatope/aquatope/forecast/hurdle"
)

//go:generate go run ../../experiment/trainprior prior.model

//go:embed prior.model
var file []byte

// Load returns the model. Its file is part of the program, so that the error is
// a fault of the build: the file was not generated again after a change of the
// features.
func Load() (*hurdle.Model, error) { return hurdle.Load(bytes.NewReader(file)) }
