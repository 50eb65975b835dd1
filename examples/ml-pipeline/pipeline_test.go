package main

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/aquatope/aquatope/examples/picture"
)

// TestPipelineReadsSigns runs the trained networks over scenes that training
// never saw and counts what was found and read.
func TestPipelineReadsSigns(t *testing.T) {
	nets := trainAll()
	var signs, hits, rightShape, rightDigit, wrong int
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(99, seed))
		s := newScene(random, 5)
		signs += len(s.signs)
		img := s.draw(random, viewWidth, viewHeight)
		for _, f := range detect(nets["detect"], picture.ToGray(img)) {
			truth, ok := s.nearest(f)
			if !ok {
				wrong++
				continue
			}
			hits++
			crop, _ := picture.FromBytes(f.Crop, cropSide)
			if classify(nets["shape"], "shape", crop).Label == shapes[truth.shape] {
				rightShape++
			}
			if classify(nets["digit"], "digit", crop).Label == strconv.Itoa(truth.digit) {
				rightDigit++
			}
		}
	}
	t.Logf("%d signs: %d found, %d false alarms; %d shapes and %d digits right", signs, hits, wrong, rightShape, rightDigit)
	if share(hits, signs) < 0.85 || share(wrong, signs) > 0.1 {
		t.Errorf("detector found %d of %d signs with %d false alarms", hits, signs, wrong)
	}
	if share(rightShape, hits) < 0.9 || share(rightDigit, hits) < 0.85 {
		t.Errorf("of %d signs found, %d shapes and %d digits were read rightly", hits, rightShape, rightDigit)
	}
}

func share(part, whole int) float64 { return float64(part) / float64(whole) }

// nearest returns the sign that a detection shows, if it shows one.
func (s scene) nearest(f found) (sign, bool) {
	for _, sign := range s.signs {
		if math.Hypot(sign.x-f.X, sign.y-f.Y) < 0.6*sign.radius {
			return sign, true
		}
	}
	return sign{}, false
}
