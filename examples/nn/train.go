package nn

import "math/rand/v2"

// Sample is one training image with its class.
type Sample struct {
	Patch []float32
	Class int
}

// The recipe of Train: what was enough for every network of the examples to
// classify more than 95 % of images that it has not seen.
const (
	rate     = 0.02
	momentum = 0.9
	batch    = 16
)

// Train fits the network to the samples by stochastic gradient descent with
// momentum; the rate falls linearly to nought over the epochs. Same network,
// samples and random source: same result.
func (n *Net) Train(samples []Sample, epochs int, random *rand.Rand) {
	gradient, velocity := n.zero(), n.zero()
	steps := epochs * (len(samples) / batch)
	step := 0
	for range epochs {
		order := random.Perm(len(samples))
		for ; len(order) >= batch; order = order[batch:] {
			for _, i := range order[:batch] {
				n.backward(samples[i], gradient)
			}
			eta := float32(rate * (1 - float64(step)/float64(steps)) / batch)
			for layer, w := range n.layers() {
				v, g := velocity.layers()[layer], gradient.layers()[layer]
				for i := range w {
					v[i] = momentum*v[i] - eta*g[i]
					w[i] += v[i]
					g[i] = 0
				}
			}
			step++
		}
	}
}

func (n *Net) layers() [6][]float32 { return [6][]float32{n.W1, n.B1, n.W2, n.B2, n.W3, n.B3} }

func (n *Net) zero() *Net {
	z := &Net{Classes: n.Classes}
	for i, p := range []*[]float32{&z.W1, &z.B1, &z.W2, &z.B2, &z.W3, &z.B3} {
		*p = make([]float32, len(n.layers()[i]))
	}
	return z
}

// backward adds the gradient of the cross-entropy loss of one sample to g.
func (n *Net) backward(s Sample, g *Net) {
	var a activations
	n.forward(s.Patch, &a)
	p := softmax(a.logits)
	p[s.Class]-- // p is now the derivative by the logits

	var conv2 [side2 * side2 * depth2]float32
	for c, dc := range p {
		g.B3[c] += dc
		w, gw := n.W3[c*flat:(c+1)*flat], g.W3[c*flat:(c+1)*flat]
		for i, v := range a.pool {
			gw[i] += dc * v
			if v > 0 { // ReLU let it pass
				conv2[a.winner[i]] += dc * w[i]
			}
		}
	}
	var conv1 [side1 * side1 * depth1]float32
	const run = kernel2 * depth1
	for at, dv := range conv2 {
		if dv == 0 {
			continue
		}
		d, x, y := at%depth2, at/depth2%side2, at/depth2/side2
		g.B2[d] += dv
		for ky := range kernel2 {
			from := ((y+ky)*side1 + x) * depth1
			in, back := a.conv1[from:][:run], conv1[from:][:run]
			w, gw := n.W2[(d*kernel2+ky)*run:][:run], g.W2[(d*kernel2+ky)*run:][:run]
			for i := range in {
				gw[i] += dv * in[i]
				back[i] += dv * w[i]
			}
		}
	}
	for at, dv := range conv1 {
		if dv == 0 || a.conv1[at] == 0 {
			continue
		}
		d, x, y := at%depth1, at/depth1%side1, at/depth1/side1
		g.B1[d] += dv
		for ky := range kernel1 {
			in := s.Patch[(Stride*y+ky)*Patch+Stride*x:][:kernel1]
			gw := g.W1[(d*kernel1+ky)*kernel1:][:kernel1]
			for i := range in {
				gw[i] += dv * in[i]
			}
		}
	}
}
