package bnn

import (
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/nn"
)

// version of the layout of parameters.
const version = 1

// parameters is what is saved of a model.
type parameters struct {
	Seed        uint64
	Shared      *weights
	PerFunction map[string]*weights
}

// weights are those of one network.
type weights struct {
	Encoder, Head [][]float32
	Noise         float64
	Own           map[string]float64
}

// Save writes the model.
func (m *Model) Save(w io.Writer) error {
	p := parameters{Seed: m.seed, PerFunction: map[string]*weights{}}
	if m.shared.encoder != nil {
		p.Shared = m.shared.weights()
	}
	for k, n := range m.perFunction {
		p.PerFunction[k] = n.weights()
	}
	return forecast.Save(w, m.name, version, p)
}

// Load reads a model that Save wrote; published says which variant it is. A
// damaged or incompatible one is refused with an error that wraps
// forecast.ErrCorrupt or forecast.ErrIncompatible.
func Load(r io.Reader, published bool) (*Model, error) {
	name := Learner{Published: published}.Name()
	var p parameters
	if err := forecast.Load(r, name, version, &p); err != nil {
		return nil, err
	}
	m := &Model{name: name, published: published, seed: p.Seed, perFunction: map[string]network{}}
	var err error
	if p.Shared != nil {
		m.shared, err = p.Shared.network(published)
	}
	for _, k := range slices.Sorted(maps.Keys(p.PerFunction)) {
		if err == nil {
			m.perFunction[k], err = p.PerFunction[k].network(published)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading model %s: %w: %w", name, err, forecast.ErrCorrupt)
	}
	return m, nil
}

func (n *network) weights() *weights {
	return &weights{nn.Values(n.encoder.params()), nn.Values(n.head.params()), n.noise, n.own}
}

func (w *weights) network(published bool) (network, error) {
	r := rand.New(rand.NewPCG(0, 0)) // the values drawn are replaced
	n := network{encoder: newAutoencoder(published, r), head: newPredictor(r), noise: w.Noise, own: w.Own}
	if err := nn.SetValues(n.encoder.params(), w.Encoder); err != nil {
		return n, err
	}
	if err := nn.SetValues(n.head.params(), w.Head); err != nil {
		return n, err
	}
	for k, v := range w.Own {
		if !(v >= 0) || math.IsInf(v, 0) {
			return n, fmt.Errorf("the noise of %s is %v", k, v)
		}
	}
	if !(w.Noise >= 0) || math.IsInf(w.Noise, 0) {
		return n, fmt.Errorf("the noise is %v", w.Noise)
	}
	return n, nil
}
