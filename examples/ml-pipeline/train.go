package main

import (
	"math"
	"math/rand/v2"

	"github.com/aquatope/aquatope/examples/nn"
	"github.com/aquatope/aquatope/examples/picture"
)

// A network is trained on patches drawn like the photos. Each is a view of
// 64x64 pixels around a sign (or none), averaged down as resizing would.
const view = 64

// fit says how large a sign appears in the patches of each network: its radius
// over half a patch. The digit fills its patch, the rim of the sign does not fit.
var fit = map[string]float64{"detect": 0.8, "shape": 0.8, "digit": 1.3}

// train returns the network called name: "detect" tells signs (class 1) from
// anything else (class 0).
func train(name string) *nn.Net {
	random := rand.New(rand.NewPCG(2023, uint64(name[0])))
	classes := map[string]int{"detect": 2, "shape": len(shapes), "digit": 10}[name]
	net := nn.New(classes, random)
	set := make([]nn.Sample, 5000)
	for i := range set {
		set[i] = drawSample(name, random)
	}
	net.Train(set, 8, random)
	return net
}

func drawSample(name string, random *rand.Rand) nn.Sample {
	street := newBackdrop(random, 6)
	s := randomSign(random, fit[name]*view/2*(0.8+0.4*random.Float64()))
	s.x = view/2 + 0.16*view*(random.Float64()-0.5)
	s.y = view/2 + 0.16*view*(random.Float64()-0.5)
	class := map[string]int{"detect": 1, "shape": s.shape, "digit": s.digit}[name]
	if name == "detect" && random.IntN(3) > 0 { // most windows of a photo show no sign, or not one as a whole
		class = 0
		switch random.IntN(4) {
		case 0: // a part of one
			away := view * (0.3 + 0.4*random.Float64())
			turn := 2 * math.Pi * random.Float64()
			s.x += away * math.Cos(turn)
			s.y += away * math.Sin(turn)
		case 1: // one that another scale will find
			s.radius *= 0.45
		case 2:
			s.radius *= 1.9
		default:
			s.radius = 1e-9
		}
	}
	noise := 0.3 * random.Float64()
	g := picture.Gray{Width: view, Height: view, Pix: make([]float32, view*view)}
	for i := range g.Pix {
		x, y := float64(i%view)+0.5, float64(i/view)+0.5
		v, covers := s.light(x, y)
		if !covers {
			v = street.light(x/view, y/view)
		}
		g.Pix[i] = float32(min(1, max(0, v+noise*(random.Float64()-0.5)))) - 0.5
	}
	return nn.Sample{Patch: g.Sample(view/2, view/2, view/2, 0, nn.Patch), Class: class}
}
