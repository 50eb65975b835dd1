package hurdle

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/feature"
	"github.com/aquatope/aquatope/forecast/nn"
	"github.com/aquatope/aquatope/forecast/tree"
)

// version of the layout of parameters. Any change of a feature's meaning raises
// it, too.
const version = 3

// parameters is what is saved of a model.
type parameters struct {
	Features []string
	Standard standard
	Forest   tree.Forest
	Network  [][]float32
}

// Save writes the model.
func (m *Model) Save(w io.Writer) error {
	p := parameters{Features: feature.Names(), Standard: m.in, Forest: *m.forest, Network: nn.Values(m.net.params())}
	return forecast.Save(w, Name, version, p)
}

// Load reads a model that Save wrote. A damaged or incompatible one is refused
// with an error that wraps forecast.ErrCorrupt or forecast.ErrIncompatible.
func Load(r io.Reader) (*Model, error) {
	var p parameters
	if err := forecast.Load(r, Name, version, &p); err != nil {
		return nil, err
	}
	width := len(feature.Names())
	if !slices.Equal(p.Features, feature.Names()) {
		return nil, fmt.Errorf("reading model %s: it has other features: %w", Name, forecast.ErrIncompatible)
	}
	if len(p.Standard.Mean) != width || len(p.Standard.Inverse) != width || !p.Forest.Valid(width) {
		return nil, fmt.Errorf("reading model %s: inconsistent sizes: %w", Name, forecast.ErrCorrupt)
	}
	m := &Model{in: p.Standard, forest: &p.Forest, net: newNetwork(width, rand.New(rand.NewPCG(0, 0)))}
	if err := nn.SetValues(m.net.params(), p.Network); err != nil {
		return nil, fmt.Errorf("reading model %s: %w: %w", Name, err, forecast.ErrCorrupt)
	}
	return m, nil
}
