package main

import (
	"image"
	"math/rand/v2"
)

// face is what there is to find: a drawn head that wanders through the picture.
type face struct{ x, y, radius, dx, dy, skin float64 }

// light returns the head's brightness at a point, and whether it covers it.
func (f face) light(x, y float64) (float64, bool) {
	u, v := (x-f.x)/f.radius, (y-f.y)/f.radius
	in := func(cu, cv, ru, rv float64) bool {
		return (u-cu)*(u-cu)/(ru*ru)+(v-cv)*(v-cv)/(rv*rv) < 1
	}
	switch {
	case !in(0, 0, 0.8, 1):
		return 0, false
	case v < -0.55: // hair
		return 0.15, true
	case in(-0.32, -0.15, 0.16, 0.1), in(0.32, -0.15, 0.16, 0.1): // eyes
		return 0.05, true
	case in(0, 0.48, 0.34, 0.1): // mouth
		return 0.25, true
	default:
		return f.skin - 0.15*u*u, true
	}
}

func newFace(random *rand.Rand, radius float64) face {
	return face{
		radius: radius, skin: 0.6 + 0.35*random.Float64(),
		dx: 3 * (random.Float64() - 0.5), dy: 2 * (random.Float64() - 0.5),
	}
}

// lamp is a bright or dark disc of the background.
type lamp struct{ x, y, radius, light float64 }

// shot is one scene of a clip: a slope of light, lamps, and faces that move.
type shot struct {
	base, slope float64
	lamps       []lamp
	faces       []face
}

// newShot draws up a scene for a picture of the given size.
func newShot(random *rand.Rand, width, height float64, base float64, faces int) shot {
	s := shot{base: base, slope: 0.2 * (random.Float64() - 0.5)}
	for range 12 {
		s.lamps = append(s.lamps, lamp{
			x: width * random.Float64(), y: height * random.Float64(),
			radius: height * (0.02 + 0.1*random.Float64()), light: base + 0.5*(random.Float64()-0.5),
		})
	}
	for i := range faces {
		f := newFace(random, height*(0.07+0.08*random.Float64()))
		f.x = width * (float64(i) + 0.35 + 0.3*random.Float64()) / float64(faces)
		f.y = height * (0.3 + 0.4*random.Float64())
		s.faces = append(s.faces, f)
	}
	return s
}

// light returns the brightness at a point of the shot's n-th frame.
func (s shot) light(x, y, height float64, n int) float64 {
	for _, f := range s.faces {
		f.x, f.y = f.x+float64(n)*f.dx, f.y+float64(n)*f.dy
		if v, covers := f.light(x, y); covers {
			return v
		}
	}
	for _, l := range s.lamps {
		if dx, dy := x-l.x, y-l.y; dx*dx+dy*dy < l.radius*l.radius {
			return l.light
		}
	}
	return s.base + s.slope*y/height
}

// draw renders the shot's n-th frame with the sensor's noise.
func (s shot) draw(random *rand.Rand, width, height, n int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		v := s.light(float64(i%width)+0.5, float64(i/width)+0.5, float64(height), n)
		noise := 0.08 * (random.Float64() - 0.5)
		for c, tint := range [3]float64{1, 0.92, 0.85} {
			img.Pix[4*i+c] = byte(255 * min(1, max(0, v*tint+noise)))
		}
		img.Pix[4*i+3] = 255
	}
	return img
}
