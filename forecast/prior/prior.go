// Package prior holds a forecaster that is trained already, for servers that
// have no history of their own yet and as a start where there is little. It learnt from a synthetic trace only, see
// package train; what it does on real traces is in docs/explanation/scheduler.md.
package prior

import (
	"bytes"
	_ "embed"
	"sync"

	"github.com/aquatope/aquatope/forecast/hurdle"
)

//go:generate go run ../../experiment/trainprior prior.model

//go:embed prior.model
var file []byte

// Load returns the model. Its file is part of the program, so that the error is
// a fault of the build: the file was not generated again after a change of the
// features.
func Load() (*hurdle.Model, error) { return hurdle.Load(bytes.NewReader(file)) }

// Learner learns on from the model where histories are few.
func Learner() hurdle.Learner { return hurdle.Learner{Prior: once()} }

var once = sync.OnceValue(func() *hurdle.Model {
	m, err := Load()
	if err != nil {
		panic("BUG: prior: " + err.Error())
	}
	return m
})
