package nn

import "github.com/aquatope/aquatope/examples/parallel"

// Map holds the probability of one class for every window of an image.
// Window (x, y) has its upper left corner at pixel (Stride*x, Stride*y).
type Map struct {
	Width, Height int
	P             []float32
}

// At returns the probability at window (x, y).
func (m Map) At(x, y int) float32 { return m.P[y*m.Width+x] }

// Scan classifies every window of a grey image and returns the probability of
// class. Neighbouring windows share their convolutions, so that an image costs
// little more than its pixels; rows are spread over the processors. An image
// smaller than a patch has no window.
func (n *Net) Scan(image []float32, width, height, class int) Map {
	if width < Patch || height < Patch {
		return Map{}
	}
	w1, h1 := (width-kernel1)/Stride+1, (height-kernel1)/Stride+1
	w2, h2 := w1-kernel2+1, h1-kernel2+1
	conv1 := make([]float32, w1*h1*depth1)
	parallel.For(h1, func(y int) { n.convolve1(image, width, y, y+1, conv1, w1) })
	conv2 := make([]float32, w2*h2*depth2)
	parallel.For(h2, func(y int) { n.convolve2(conv1, w1, y, y+1, conv2, w2) })

	m := Map{Width: (width-Patch)/Stride + 1, Height: (height-Patch)/Stride + 1}
	m.P = make([]float32, m.Width*m.Height)
	parallel.For(m.Height, func(y int) {
		logits := make([]float32, n.Classes)
		var pool [flat]float32
		for x := range m.Width {
			poolWindow(conv2, w2, x, y, pool[:])
			for c := range logits {
				logits[c] = n.B3[c] + dot(n.W3[c*flat:(c+1)*flat], pool[:])
			}
			m.P[y*m.Width+x] = softmax(logits)[class]
		}
	})
	return m
}

func poolWindow(conv2 []float32, width, x, y int, pool []float32) {
	for py := range pooled {
		for px := range pooled {
			at := ((y+2*py)*width + x + 2*px) * depth2
			upper, lower := conv2[at:][:2*depth2], conv2[at+width*depth2:][:2*depth2]
			out := pool[(py*pooled+px)*depth2:][:depth2]
			for d := range out {
				out[d] = max(upper[d], upper[d+depth2], lower[d], lower[d+depth2])
			}
		}
	}
}
