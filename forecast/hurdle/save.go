package hurdle

import (
	"errors"
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
const version = 4

// parameters is what is saved of a model.
type parameters struct {
	Features []string
	Experts  []expertParameters
}

type expertParameters struct {
	Weight   float32
	Standard standard
	Forest   tree.Forest
	Network  [][]float32
}

// Save writes the model.
func (m *Model) Save(w io.Writer) error {
	p := parameters{Features: feature.Names()}
	for _, e := range m.experts {
		p.Experts = append(p.Experts, expertParameters{e.weight, e.in, *e.forest, nn.Values(e.net.params())})
	}
	return forecast.Save(w, Name, version, p)
}

// Load reads a model that Save wrote. A damaged or incompatible one is refused
// with an error that wraps forecast.ErrCorrupt or forecast.ErrIncompatible.
func Load(r io.Reader) (*Model, error) {
	var p parameters
	if err := forecast.Load(r, Name, version, &p); err != nil {
		return nil, err
	}
	if !slices.Equal(p.Features, feature.Names()) {
		return nil, fmt.Errorf("reading model %s: it has other features: %w", Name, forecast.ErrIncompatible)
	}
	m := &Model{}
	for _, e := range p.Experts {
		loaded, err := e.load()
		if err != nil {
			return nil, fmt.Errorf("reading model %s: %w: %w", Name, err, forecast.ErrCorrupt)
		}
		m.experts = append(m.experts, loaded)
	}
	if len(m.experts) == 0 {
		return nil, fmt.Errorf("reading model %s: it is empty: %w", Name, forecast.ErrCorrupt)
	}
	return m, nil
}

func (p *expertParameters) load() (expert, error) {
	width := len(feature.Names())
	if len(p.Standard.Mean) != width || len(p.Standard.Inverse) != width || !p.Forest.Valid(width) || !(p.Weight > 0 && p.Weight <= 1) {
		return expert{}, errors.New("inconsistent sizes")
	}
	net := newNetwork(width, rand.New(rand.NewPCG(0, 0)))
	if err := nn.SetValues(net.params(), p.Network); err != nil {
		return expert{}, err
	}
	return expert{p.Standard, &p.Forest, net, p.Weight}, nil
}
