package nn_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/aquatope/aquatope/forecast/nn"
)

func random(rows, cols int, r *rand.Rand) nn.Matrix {
	m := nn.NewMatrix(rows, cols)
	for i := range m.Data {
		m.Data[i] = float32(r.NormFloat64())
	}
	return m
}

// check compares gradients with central differences of the loss sum(w·y).
func check(t *testing.T, params []*nn.Param, x nn.Matrix, forward func() nn.Matrix, backward func(nn.Matrix) nn.Matrix, r *rand.Rand) {
	t.Helper()
	y := forward()
	w := random(y.Rows, y.Cols, r)
	loss := func() (s float64) {
		for i, v := range forward().Data {
			s += float64(v) * float64(w.Data[i])
		}
		return s
	}
	dy := nn.NewMatrix(w.Rows, w.Cols)
	copy(dy.Data, w.Data)
	dx := backward(dy)
	input := &nn.Param{Value: x.Data, Grad: append([]float32(nil), dx.Data...)}
	const step, tolerance = 1e-2, 2e-2
	for k, p := range append(params, input) {
		for i := range p.Value {
			was := p.Value[i]
			p.Value[i] = was + step
			up := loss()
			p.Value[i] = was - step
			down := loss()
			p.Value[i] = was
			want := (up - down) / (2 * step)
			if got := float64(p.Grad[i]); math.Abs(got-want) > tolerance*(1+math.Abs(want)) {
				t.Fatalf("gradient %d of parameter %d is %v, by differences %v", i, k, got, want)
			}
		}
	}
}

func TestLinearGradient(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	l := nn.NewLinear(5, 3, r)
	x := random(4, 5, r)
	check(t, l.Params(), x, func() nn.Matrix { return l.Forward(x) }, l.Backward, r)
}

func TestLSTMGradient(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 1))
	l := nn.NewLSTM(3, 4, r)
	const steps, batch = 5, 2
	x := random(steps*batch, 3, r)
	check(t, l.Params(), x, func() nn.Matrix { return l.Forward(x, steps) }, l.Backward, r)
}

func TestReLUAndDropoutGradient(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 1))
	l, m := nn.NewLinear(6, 8, r), nn.NewLinear(8, 2, r)
	relu, drop := &nn.ReLU{}, &nn.Dropout{P: 0.5, Shared: 2}
	x := random(4, 6, r)
	forward := func() nn.Matrix {
		// The same mask at every call.
		return m.Forward(drop.Forward(relu.Forward(l.Forward(x)), rand.New(rand.NewPCG(9, 9))))
	}
	backward := func(dy nn.Matrix) nn.Matrix {
		return l.Backward(relu.Backward(drop.Backward(m.Backward(dy))))
	}
	check(t, append(l.Params(), m.Params()...), x, forward, backward, r)
}

func TestVariationalDropoutSharesItsMask(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 1))
	const steps, batch, width = 6, 3, 10
	x := nn.NewMatrix(steps*batch, width)
	for i := range x.Data {
		x.Data[i] = 1
	}
	d := &nn.Dropout{P: 0.25, Shared: steps}
	y := d.Forward(x, r)
	for s := 1; s < steps; s++ {
		for i := range batch * width {
			if y.Data[s*batch*width+i] != y.Data[i] {
				t.Fatal("steps of a sample have different masks")
			}
		}
	}
}

func TestSigmoid(t *testing.T) {
	t.Parallel()
	for x := -30.0; x <= 30; x += 0.01 {
		want := 1 / (1 + math.Exp(-x))
		if got := float64(nn.Sigmoid(float32(x))); math.Abs(got-want) > 2e-4*want+1e-4 {
			t.Fatalf("Sigmoid(%v) = %v, want %v", x, got, want)
		}
	}
}

func TestAdamFindsMinimum(t *testing.T) {
	t.Parallel()
	p := &nn.Param{Value: []float32{5, -3}, Grad: make([]float32, 2)}
	a := nn.Adam{Rate: 0.05}
	for range 2000 {
		p.Grad[0] = 2 * (p.Value[0] - 1)
		p.Grad[1] = 20 * (p.Value[1] - 2)
		a.Step([]*nn.Param{p})
	}
	if math.Abs(float64(p.Value[0])-1) > 1e-2 || math.Abs(float64(p.Value[1])-2) > 1e-2 {
		t.Errorf("ended at %v, want [1 2]", p.Value)
	}
}
