package nn

import (
	"cmp"
	"math"
	"slices"

	"github.com/aquatope/aquatope/examples/picture"
)

// Box is a square part of an image that shows an object.
type Box struct {
	X, Y float64 // centre, in pixels
	Half float64 // half its side
	P    float32 // the network's probability
}

// The search of Find.
const (
	threshold = 0.95 // a window counts above this probability
	zoomStep  = 0.8  // between the scales at which the image is scanned
	agreement = 3    // hits that make an object
)

// Find looks for objects of class 1 whose windows measure from Patch/largest to
// Patch/smallest pixels, by scanning the image at one scale after the other;
// the largest costs most. An object answers in
// many neighbouring windows: the surest of them stands for all, and a lone hit
// is taken for noise.
func (n *Net) Find(img picture.Gray, largest, smallest float64) []Box {
	var hits []Box
	for zoom := largest; zoom >= smallest; zoom *= zoomStep {
		width, height := int(float64(img.Width)*zoom), int(float64(img.Height)*zoom)
		if min(width, height) < Patch {
			break
		}
		m := n.Scan(img.Resize(width, height).Pix, width, height, 1)
		for i, p := range m.P {
			if p > threshold {
				hits = append(hits, Box{
					X:    float64(Stride*(i%m.Width)+Patch/2) / zoom,
					Y:    float64(Stride*(i/m.Width)+Patch/2) / zoom,
					Half: Patch / 2 / zoom,
					P:    p,
				})
			}
		}
	}
	return merge(hits)
}

// merge gathers the hits around each of the surest into one box, their mean.
func merge(hits []Box) []Box {
	slices.SortStableFunc(hits, func(a, b Box) int { return cmp.Compare(b.P, a.P) })
	var kept []Box
	for len(hits) > 0 {
		surest := hits[0]
		var group, rest []Box
		for _, h := range hits {
			if overlap(h, surest) {
				group = append(group, h)
			} else {
				rest = append(rest, h)
			}
		}
		hits = rest
		box := Box{P: surest.P}
		for _, h := range group {
			share := 1 / float64(len(group))
			box.X, box.Y, box.Half = box.X+share*h.X, box.Y+share*h.Y, box.Half+share*h.Half
		}
		if len(group) >= agreement && !slices.ContainsFunc(kept, func(k Box) bool { return overlap(k, box) }) {
			kept = append(kept, box)
		}
	}
	return kept
}

func overlap(a, b Box) bool { return math.Hypot(a.X-b.X, a.Y-b.Y) < 1.4*max(a.Half, b.Half) }
