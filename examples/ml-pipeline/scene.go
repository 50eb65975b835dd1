package main

import (
	"image"
	"math"
	"math/rand/v2"
)

// sign is what there is to find: a bright board with a dark rim that has a
// shape and shows a digit. Lengths are in pixels.
type sign struct {
	x, y, radius, angle float64
	shape, digit        int
}

// shapes are the classes of the shape classifier; the digits are those of the other.
var shapes = []string{"circle", "square", "triangle", "diamond"}

// inside returns how far (u, v) lies within the board of unit size: above 0
// inside, below 0 outside.
func (s sign) inside(u, v float64) float64 {
	switch shapes[s.shape] {
	case "circle":
		return 1 - math.Hypot(u, v)
	case "square":
		return 0.85 - max(math.Abs(u), math.Abs(v))
	case "triangle": // point up; wide enough at the digit's height
		return min(0.75-v, 0.5*(v+1.15)-0.894*math.Abs(u)+0.15)
	default:
		return 0.8 * (1.05 - math.Abs(u) - math.Abs(v))
	}
}

// light returns the sign's brightness at a point of the image, and whether the
// sign covers it.
func (s sign) light(x, y float64) (float64, bool) {
	sin, cos := math.Sincos(-s.angle)
	dx, dy := (x-s.x)/s.radius, (y-s.y)/s.radius
	u, v := dx*cos-dy*sin, dx*sin+dy*cos
	switch depth := s.inside(u, v); {
	case depth < 0:
		return 0, false
	case depth < 0.16 || digitCovers(s.digit, u/0.74, v/1.0):
		return 0.1, true
	default:
		return 0.95, true
	}
}

// digitCovers says whether a seven-segment digit of height 1 and width 1,
// centred at the origin, covers (u, v).
func digitCovers(digit int, u, v float64) bool {
	const half, thick = 0.5, 0.11
	near := func(a, b float64) bool { return math.Abs(a-b) < thick }
	if math.Abs(u) > half+thick || math.Abs(v) > half+thick {
		return false
	}
	lit := segments[digit]
	return lit&1 != 0 && near(v, -half) ||
		lit&2 != 0 && near(u, half) && v < 0 ||
		lit&4 != 0 && near(u, half) && v > 0 ||
		lit&8 != 0 && near(v, half) ||
		lit&16 != 0 && near(u, -half) && v > 0 ||
		lit&32 != 0 && near(u, -half) && v < 0 ||
		lit&64 != 0 && near(v, 0)
}

// segments has a bit for each lit bar, clockwise from the top, the middle last.
var segments = [10]byte{0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f}

// backdrop is a street of sorts: a slope of light with walls, poles and blots.
type backdrop struct {
	base, dx, dy float64
	walls        []wall
}

type wall struct{ x, y, w, h, light float64 }

func newBackdrop(random *rand.Rand, walls int) backdrop {
	b := backdrop{base: 0.3 + 0.4*random.Float64(), dx: 0.3 * (random.Float64() - 0.5), dy: 0.3 * (random.Float64() - 0.5)}
	for range walls {
		w := wall{x: random.Float64(), y: random.Float64(), w: 0.02 + 0.25*random.Float64(), h: 0.02 + 0.25*random.Float64(), light: random.Float64()}
		b.walls = append(b.walls, w)
	}
	return b
}

// light takes a point in units of the image's size.
func (b backdrop) light(x, y float64) float64 {
	for _, w := range b.walls {
		if math.Abs(x-w.x) < w.w/2 && math.Abs(y-w.y) < w.h/2 {
			return w.light
		}
	}
	return b.base + b.dx*x + b.dy*y
}

// scene is a photo together with what is to be found in it.
type scene struct {
	signs  []sign
	street backdrop
	tint   [3]float64
}

// newScene draws up a scene for a photo that is viewWidth pixels wide once
// resized; no two signs touch.
func newScene(random *rand.Rand, count int) scene {
	s := scene{street: newBackdrop(random, 40), tint: [3]float64{0.8 + 0.2*random.Float64(), 1, 0.8 + 0.2*random.Float64()}}
	for len(s.signs) < count {
		next := randomSign(random, 11+16*random.Float64())
		next.x = 30 + (viewWidth-60)*random.Float64()
		next.y = 30 + (viewHeight-60)*random.Float64()
		clear := true
		for _, other := range s.signs {
			clear = clear && math.Hypot(other.x-next.x, other.y-next.y) > 2*(other.radius+next.radius)
		}
		if clear {
			s.signs = append(s.signs, next)
		}
	}
	return s
}

func randomSign(random *rand.Rand, radius float64) sign {
	return sign{radius: radius, angle: 0.3 * (random.Float64() - 0.5), shape: random.IntN(len(shapes)), digit: random.IntN(10)}
}

// draw renders the scene as a photo with the sensor's noise.
func (s scene) draw(random *rand.Rand, width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	scale := float64(viewWidth) / float64(width)
	for i := range width * height {
		x, y := (float64(i%width)+0.5)*scale, (float64(i/width)+0.5)*scale
		v := s.street.light(x/viewWidth, y/viewHeight)
		for _, sign := range s.signs {
			if math.Abs(x-sign.x) < 1.5*sign.radius && math.Abs(y-sign.y) < 1.5*sign.radius {
				if light, covers := sign.light(x, y); covers {
					v = light
				}
			}
		}
		noise := 0.08 * (random.Float64() - 0.5)
		for c, tint := range s.tint {
			img.Pix[4*i+c] = byte(255 * min(1, max(0, v*tint+noise)))
		}
		img.Pix[4*i+3] = 255
	}
	return img
}
