package main

import (
	"bytes"
	"context"
	"image/jpeg"
	"math"

	"github.com/aquatope/aquatope/examples/fn"
	"github.com/aquatope/aquatope/examples/picture"
)

type sceneCuts struct {
	Index int   `json:"index"`
	Cuts  []int `json:"cuts"` // frames that begin a new scene
}

// scenes finds where the brightness histogram changes at once. It decodes one
// frame after the other on one processor and holds no more than one. A change
// that falls between two chunks goes unseen.
func scenes(_ context.Context, in chunk) (sceneCuts, error) {
	frames, err := readFrames(in)
	if err != nil {
		return sceneCuts{}, err
	}
	out := sceneCuts{Index: in.Index, Cuts: []int{}}
	var before [32]float64
	for i, frame := range frames {
		img, err := jpeg.Decode(bytes.NewReader(frame))
		if err != nil {
			return sceneCuts{}, fn.Invalidf("frame %d: %v", i, err)
		}
		now := histogram(picture.ToGray(img))
		if i > 0 && distance(before, now) > 0.5 {
			out.Cuts = append(out.Cuts, i)
		}
		before = now
	}
	return out, nil
}

// histogram returns the share of pixels in each of 32 steps of brightness.
func histogram(g picture.Gray) (h [32]float64) {
	for _, v := range g.Pix {
		h[min(31, int(32*(v+0.5)))] += 1 / float64(len(g.Pix))
	}
	return h
}

// distance is the sum of absolute differences, 0 to 2.
func distance(a, b [32]float64) (sum float64) {
	for i := range a {
		sum += math.Abs(a[i] - b[i])
	}
	return sum
}
