package nn_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aquatope/aquatope/examples/nn"
)

// slope draws a patch that gets brighter to the right (class 0) or downwards (1).
func slope(random *rand.Rand) nn.Sample {
	s := nn.Sample{Patch: make([]float32, nn.Patch*nn.Patch), Class: random.IntN(2)}
	for i := range s.Patch {
		along := []int{i % nn.Patch, i / nn.Patch}[s.Class]
		s.Patch[i] = float32(along)/nn.Patch - 0.5 + 0.5*float32(random.NormFloat64())
	}
	return s
}

func trained() *nn.Net {
	random := rand.New(rand.NewPCG(1, 2))
	net := nn.New(2, random)
	samples := make([]nn.Sample, 400)
	for i := range samples {
		samples[i] = slope(random)
	}
	net.Train(samples, 3, random)
	return net
}

func TestTrainLearnsAndIsDeterministic(t *testing.T) {
	net := trained()
	if diff := cmp.Diff(net, trained()); diff != "" {
		t.Errorf("two trainings with the same seed differ:\n%s", diff)
	}
	random := rand.New(rand.NewPCG(3, 4))
	right := 0
	for range 200 {
		s := slope(random)
		if net.Classify(s.Patch)[s.Class] > 0.5 {
			right++
		}
	}
	if right < 190 {
		t.Errorf("%d of 200 unseen patches classified rightly", right)
	}
}

// TestTrainFollowsTheGradient compares the step of one batch of one sample
// repeated with the loss's numerical derivative.
func TestTrainFollowsTheGradient(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	net := nn.New(3, random)
	s := slope(random)
	batch := make([]nn.Sample, 16)
	for i := range batch {
		batch[i] = s
	}
	before := clone(t, net)
	net.Train(batch, 1, random) // one step of rate 0.02 along the negative gradient
	loss := func(n *nn.Net) float64 { return -math.Log(float64(n.Classify(s.Patch)[s.Class])) }
	for _, layer := range []func(*nn.Net) []float32{
		func(n *nn.Net) []float32 { return n.W1 },
		func(n *nn.Net) []float32 { return n.B1 },
		func(n *nn.Net) []float32 { return n.W2 },
		func(n *nn.Net) []float32 { return n.W3 },
		func(n *nn.Net) []float32 { return n.B3 },
	} {
		for i := 0; i < len(layer(before)); i += 7 {
			const h = 1e-4
			plus, minus := clone(t, before), clone(t, before)
			layer(plus)[i] += h
			layer(minus)[i] -= h
			numerical := (loss(plus) - loss(minus)) / (2 * h)
			actual := float64(layer(before)[i]-layer(net)[i]) / 0.02
			if math.Abs(numerical-actual) > 0.02+0.1*math.Abs(numerical) {
				t.Fatalf("weight %d: step says %.4f, loss says %.4f", i, actual, numerical)
			}
		}
	}
}

func TestScanEqualsClassify(t *testing.T) {
	net := trained()
	random := rand.New(rand.NewPCG(7, 8))
	const width, height = 61, 44
	image := make([]float32, width*height)
	for i := range image {
		image[i] = random.Float32() - 0.5
	}
	m := net.Scan(image, width, height, 1)
	if m.Width != (width-nn.Patch)/nn.Stride+1 || m.Height != (height-nn.Patch)/nn.Stride+1 {
		t.Fatalf("map is %dx%d", m.Width, m.Height)
	}
	for y := range m.Height {
		for x := range m.Width {
			var patch []float32
			for row := range nn.Patch {
				patch = append(patch, image[(nn.Stride*y+row)*width+nn.Stride*x:][:nn.Patch]...)
			}
			if want := net.Classify(patch)[1]; math.Abs(float64(m.At(x, y)-want)) > 1e-5 {
				t.Fatalf("window (%d, %d): scan %v, classify %v", x, y, m.At(x, y), want)
			}
		}
	}
	if tiny := net.Scan(image[:100], 10, 10, 1); len(tiny.P) != 0 {
		t.Errorf("an image smaller than a patch has %d windows", len(tiny.P))
	}
}

func TestLoadRefusesGarbage(t *testing.T) {
	for _, data := range []string{"", "not a model"} {
		if _, err := nn.Load(bytes.NewReader([]byte(data))); err == nil {
			t.Errorf("Load(%q) succeeded", data)
		}
	}
}

// clone passes a network through Save and Load.
func clone(t *testing.T, n *nn.Net) *nn.Net {
	t.Helper()
	var buffer bytes.Buffer
	if err := n.Save(&buffer); err != nil {
		t.Fatal(err)
	}
	out, err := nn.Load(&buffer)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
