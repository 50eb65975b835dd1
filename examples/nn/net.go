// Package nn is a convolutional network just large enough to find and read
// what the examples draw: two convolutions, a pooling and a dense layer over a
// grey patch of 20x20 pixels. It trains in seconds, and scans a whole image
// without computing anything twice.
package nn

import (
	"encoding/gob"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
)

// The shape of the network. A patch passes through
// 20x20 -conv 5x5, every 2nd pixel-> 8x8x8 -conv 3x3-> 6x6x16 -max 2x2-> 3x3x16 -dense-> classes.
const (
	Patch   = 20 // pixels on each side of the input
	Stride  = 2  // pixels between neighbouring windows of Scan
	kernel1 = 5
	depth1  = 8
	side1   = (Patch-kernel1)/Stride + 1
	kernel2 = 3
	depth2  = 16
	side2   = side1 - kernel2 + 1
	pooled  = side2 / 2
	flat    = pooled * pooled * depth2
)

// Net is a trained network. It is safe for concurrent use once trained.
// Weights of a layer lie output by output.
type Net struct {
	Classes int
	W1, B1  []float32 // depth1 kernels of kernel1 x kernel1
	W2, B2  []float32 // depth2 kernels of kernel2 x kernel2 x depth1
	W3, B3  []float32 // Classes rows of flat
}

// New returns a network with random weights, scaled so that signals keep their
// size from layer to layer (He et al., 2015).
func New(classes int, random *rand.Rand) *Net {
	weights := func(outputs, inputs int) []float32 {
		w := make([]float32, outputs*inputs)
		scale := math.Sqrt(2 / float64(inputs))
		for i := range w {
			w[i] = float32(random.NormFloat64() * scale)
		}
		return w
	}
	return &Net{
		Classes: classes,
		W1:      weights(depth1, kernel1*kernel1), B1: make([]float32, depth1),
		W2: weights(depth2, kernel2*kernel2*depth1), B2: make([]float32, depth2),
		W3: weights(classes, flat), B3: make([]float32, classes),
	}
}

// Save writes the network so that Load reads it.
func (n *Net) Save(w io.Writer) error { return gob.NewEncoder(w).Encode(n) }

// Load reads a network that Save wrote.
func Load(r io.Reader) (*Net, error) {
	n := new(Net)
	if err := gob.NewDecoder(r).Decode(n); err != nil {
		return nil, fmt.Errorf("reading a model: %w", err)
	}
	if len(n.W1) != depth1*kernel1*kernel1 || len(n.W2) != depth2*kernel2*kernel2*depth1 || len(n.W3) != n.Classes*flat {
		return nil, fmt.Errorf("reading a model: it has another shape; run `make examples` again")
	}
	return n, nil
}

// Classify returns the probability of each class for a patch of Patch x Patch
// pixels, given row by row.
func (n *Net) Classify(patch []float32) []float32 {
	var a activations
	n.forward(patch, &a)
	return softmax(a.logits)
}

// activations is what one patch looks like after each layer.
type activations struct {
	conv1  [side1 * side1 * depth1]float32
	conv2  [side2 * side2 * depth2]float32
	pool   [flat]float32
	winner [flat]int // index into conv2 of each pooled maximum
	logits []float32
}

func (n *Net) forward(patch []float32, a *activations) {
	if len(patch) != Patch*Patch {
		panic(fmt.Sprintf("nn: a patch has %d pixels, not %d", Patch*Patch, len(patch)))
	}
	n.convolve1(patch, Patch, 0, side1, a.conv1[:], side1)
	n.convolve2(a.conv1[:], side1, 0, side2, a.conv2[:], side2)
	for y := range pooled {
		for x := range pooled {
			for d := range depth2 {
				best := (2*y*side2+2*x)*depth2 + d
				for _, at := range [...]int{best + depth2, best + side2*depth2, best + (side2+1)*depth2} {
					if a.conv2[at] > a.conv2[best] {
						best = at
					}
				}
				i := (y*pooled+x)*depth2 + d
				a.pool[i], a.winner[i] = a.conv2[best], best
			}
		}
	}
	a.logits = make([]float32, n.Classes)
	for c := range a.logits {
		a.logits[c] = n.B3[c] + dot(n.W3[c*flat:(c+1)*flat], a.pool[:])
	}
}

// convolve1 computes rows [from, to) of the first layer, ReLU included, over
// an image with the given width; outWidth is that of the output.
func (n *Net) convolve1(image []float32, width, from, to int, out []float32, outWidth int) {
	for y := from; y < to; y++ {
		for x := range outWidth {
			pixels := out[(y*outWidth+x)*depth1:][:depth1]
			copy(pixels, n.B1)
			for d := range depth1 {
				sum := pixels[d]
				for ky := range kernel1 {
					row := image[(Stride*y+ky)*width+Stride*x:][:kernel1]
					w := n.W1[(d*kernel1+ky)*kernel1:][:kernel1]
					sum += row[0]*w[0] + row[1]*w[1] + row[2]*w[2] + row[3]*w[3] + row[4]*w[4]
				}
				pixels[d] = max(0, sum)
			}
		}
	}
}

// convolve2 computes rows [from, to) of the second layer, ReLU included.
func (n *Net) convolve2(in []float32, width, from, to int, out []float32, outWidth int) {
	const run = kernel2 * depth1 // one kernel row is contiguous in the input
	for y := from; y < to; y++ {
		for x := range outWidth {
			pixels := out[(y*outWidth+x)*depth2:][:depth2]
			for d := range depth2 {
				sum := n.B2[d]
				for ky := range kernel2 {
					sum += dot(in[((y+ky)*width+x)*depth1:][:run], n.W2[(d*kernel2+ky)*run:][:run])
				}
				pixels[d] = max(0, sum)
			}
		}
	}
}

func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}

func softmax(logits []float32) []float32 {
	top := logits[0]
	for _, v := range logits {
		top = max(top, v)
	}
	p := make([]float32, len(logits))
	var sum float32
	for i, v := range logits {
		p[i] = float32(math.Exp(float64(v - top)))
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}
