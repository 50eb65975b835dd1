package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"github.com/aquatope/aquatope/examples/fn"
	"github.com/aquatope/aquatope/examples/nn"
	"github.com/aquatope/aquatope/examples/picture"
)

// label is what a classifier made of one sign.
type label struct {
	Label      string  `json:"label"`
	Confidence float32 `json:"confidence"`
}

type labels struct {
	Labels []label `json:"labels"` // in the order of the signs
}

func loadModel(name string) (*nn.Net, error) {
	f, err := os.Open(filepath.Join("bin", name+".model"))
	if err != nil {
		return nil, fmt.Errorf("%w (`make examples` trains the models)", err)
	}
	defer f.Close()
	return nn.Load(f)
}

func startClassifier(name string) fn.Start {
	return func() (http.Handler, error) {
		net, err := loadModel(name)
		if err != nil {
			return nil, err
		}
		return fn.JSON(func(_ context.Context, in detections) (labels, error) {
			out := labels{Labels: []label{}}
			for i, s := range in.Signs {
				crop, ok := picture.FromBytes(s.Crop, cropSide)
				if !ok {
					return labels{}, fn.Invalidf("crop of sign %d is not %dx%d pixels", i, cropSide, cropSide)
				}
				out.Labels = append(out.Labels, classify(net, name, crop))
			}
			return out, nil
		}), nil
	}
}

// classify averages the network's opinion over shifted, turned and scaled
// views of the crop, because the detector's box is never exact. It runs on one
// processor, and takes as long as there are signs.
func classify(net *nn.Net, name string, crop picture.Gray) label {
	total := make([]float32, net.Classes)
	views := float32(0)
	const centre = cropSide / 2
	radius := centre / cropReach
	for _, scale := range []float64{0.85, 1, 1.15} {
		reach := radius / fit[name] * scale
		for _, angle := range []float64{-0.1, 0, 0.1} {
			for shift := range 9 {
				dx, dy := float64(shift%3-1)*0.08*radius, float64(shift/3-1)*0.08*radius
				patch := crop.Sample(centre+dx, centre+dy, reach, angle, nn.Patch)
				for c, p := range net.Classify(patch) {
					total[c] += p
				}
				views++
			}
		}
	}
	best := 0
	for c := range total {
		if total[c] > total[best] {
			best = c
		}
	}
	text := strconv.Itoa(best)
	if name == "shape" {
		text = shapes[best]
	}
	return label{Label: text, Confidence: total[best] / views}
}
