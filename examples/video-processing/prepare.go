package main

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/aquatope/aquatope/examples/nn"
	"github.com/aquatope/aquatope/examples/picture"
)

// clip is one input that prepare generates: its shots are shotFrames long.
type clip struct {
	name          string
	width, height int
	faces         []int // in each shot
}

const shotFrames = 14

var clips = []clip{
	{"hall.mjpeg", 480, 270, []int{1, 3}},
	{"party.mjpeg", 640, 360, []int{2, 4, 1}},
}

// prepare writes the clips and the trained model into dir.
func prepare(dir string) error {
	if err := drawClips(dir); err != nil {
		return err
	}
	var model bytes.Buffer
	if err := train().Save(&model); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "face.model"), model.Bytes(), 0o644)
}

func drawClips(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "clips"), 0o755); err != nil {
		return err
	}
	for _, c := range clips {
		data, err := c.draw()
		if err != nil {
			return fmt.Errorf("drawing %s: %w", c.name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, "clips", c.name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// draw returns the clip as Motion JPEG. Dark and bright shots alternate.
func (c clip) draw() ([]byte, error) {
	random := rand.New(rand.NewPCG(11, uint64(c.width)))
	var out bytes.Buffer
	for i, faces := range c.faces {
		s := newShot(random, float64(c.width), float64(c.height), 0.3+0.4*float64(i%2), faces)
		for n := range shotFrames {
			frame, err := picture.JPEG(s.draw(random, c.width, c.height, n), 85)
			if err != nil {
				return nil, err
			}
			out.Write(frame)
		}
	}
	return out.Bytes(), nil
}

// How the network sees faces: the head's radius over half a patch, and the
// scales at which a frame is searched.
const (
	fit          = 0.8
	largestZoom  = 0.5
	smallestZoom = 0.12
)

// train returns a network that tells faces (class 1) from anything else.
func train() *nn.Net {
	const view = 64
	random := rand.New(rand.NewPCG(2023, 5))
	net := nn.New(2, random)
	samples := make([]nn.Sample, 4000)
	for i := range samples {
		s := newShot(random, 4*view, 4*view, 0.2+0.6*random.Float64(), 0)
		f := newFace(random, fit*view/2*(0.85+0.3*random.Float64()))
		f.x, f.y = view/2+4*(random.Float64()-0.5), view/2+4*(random.Float64()-0.5)
		class := 1
		if random.IntN(3) > 0 { // most windows show no face, or not one as a whole
			class = 0
			turn, away := 2*math.Pi*random.Float64(), view*(0.3+0.4*random.Float64())
			switch random.IntN(5) {
			case 0, 1:
				f.x, f.y = f.x+away*math.Cos(turn), f.y+away*math.Sin(turn)
			case 2: // one that another scale will find
				f.radius *= 0.45
			case 3: // a part of a larger one
				f.radius *= 1.4 + 0.8*random.Float64()
				f.x, f.y = f.x+away*math.Cos(turn), f.y+away*math.Sin(turn)
			default:
				f.x = -1000
			}
		}
		s.faces = []face{f}
		noise := 0.2 * random.Float64()
		g := picture.Gray{Width: view, Height: view, Pix: make([]float32, view*view)}
		for p := range g.Pix {
			v := s.light(float64(p%view)+0.5, float64(p/view)+0.5, view, 0)
			g.Pix[p] = float32(min(1, max(0, v+noise*(random.Float64()-0.5)))) - 0.5
		}
		samples[i] = nn.Sample{Patch: g.Sample(view/2, view/2, view/2, 0, nn.Patch), Class: class}
	}
	net.Train(samples, 5, random)
	return net
}
