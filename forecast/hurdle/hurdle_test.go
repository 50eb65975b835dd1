package hurdle_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/baseline"
	"github.com/aquatope/aquatope/forecast/forecasttest"
	"github.com/aquatope/aquatope/forecast/hurdle"
	"github.com/aquatope/aquatope/trace"
)

// synthetic returns a trace with functions of all kinds.
func synthetic(functions int, seed uint64) *trace.Trace {
	t, err := trace.Generator{Functions: functions, Days: 1}.Generate(rand.New(rand.NewPCG(seed, 1)))
	if err != nil {
		panic(err)
	}
	return t
}

func histories(t *trace.Trace, s trace.Span) []*forecast.History {
	out := make([]*forecast.History, len(t.Functions))
	for i := range t.Functions {
		out[i] = forecast.FromTrace(t, &t.Functions[i], s)
	}
	return out
}

// small is a model trained once for all tests.
var small = sync.OnceValue(func() *hurdle.Model {
	tr := synthetic(150, 1)
	first, _ := tr.Halves()
	m, err := hurdle.Learner{Rows: 40_000, Epochs: 8}.Train(histories(tr, first), forecast.Budget{}, rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		panic(err)
	}
	return m.(*hurdle.Model)
})

func TestSound(t *testing.T) {
	t.Parallel()
	forecasttest.Sound(t, small())
}

// TestBeatsBaselines on functions and times that it has not seen.
func TestBeatsBaselines(t *testing.T) {
	t.Parallel()
	tr := synthetic(40, 2)
	first, second := tr.Halves()
	score := func(m forecast.Model) forecast.Score {
		var cases []forecast.Case
		for i := range tr.Functions {
			f := &tr.Functions[i]
			cases = append(cases, forecast.Case{History: forecast.FromTrace(tr, f, first), Future: f.Counts.Dense(nil, trace.Span{From: second.From, To: second.From + 200})})
		}
		s, err := forecast.Backtest(m.New(), cases, nil)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	own := score(small())
	for _, l := range baseline.All() {
		m, err := l.Train(nil, forecast.Budget{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if s := score(m); own.Pinball90 >= s.Pinball90 || own.CRPS >= s.CRPS {
			t.Errorf("pinball %v and CRPS %v, %s has %v and %v", own.Pinball90, own.CRPS, l.Name(), s.Pinball90, s.CRPS)
		}
	}
	if own.Coverage90 < 0.88 || own.Coverage90 > 0.92 {
		t.Errorf("coverage %v", own.Coverage90)
	}
}

// TestRealTrace is the promise on the real trace that trains fastest.
func TestRealTrace(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds")
	}
	t.Parallel()
	root := os.Getenv("AQUATOPE_TRACES")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "traces")
	}
	folder, err := trace.OpenFolder(os.DirFS(filepath.Join(root, "azure2019-platform-total-14d")))
	if err != nil {
		t.Skipf("no real traces: set AQUATOPE_TRACES (%v)", err)
	}
	tr, err := folder.Load()
	if err != nil {
		t.Fatal(err)
	}
	first, second := tr.Halves()
	m, err := hurdle.Learner{}.Train(histories(tr, first), forecast.Budget{}, rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := forecast.Backtest(m.New(), []forecast.Case{{History: histories(tr, first)[0], Future: tr.Functions[0].Counts.Dense(nil, second)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	// The best baseline, last value, has 0.0100.
	if s.Pinball90 > 0.009 || s.Coverage90 < 0.88 || s.Coverage90 > 0.92 {
		t.Errorf("pinball %v, coverage %v", s.Pinball90, s.Coverage90)
	}
}

func TestForecastIsDeterministic(t *testing.T) {
	t.Parallel()
	tr := synthetic(10, 3)
	first, _ := tr.Halves()
	a := small().New().Forecast(histories(tr, first), 2)
	b := small().New().Forecast(histories(tr, first), 2)
	for i := range a {
		for k := range a[i] {
			if a[i][k].Quantile(0.9) != b[i][k].Quantile(0.9) || a[i][k].CDF(0) != b[i][k].CDF(0) {
				t.Fatalf("function %d, window %d differ", i, k)
			}
		}
	}
}

// TestOthersDoNotMatter: a function is forecast alone as it is among others, those
// that were never called and are forecast at once included, minute after minute.
func TestOthersDoNotMatter(t *testing.T) {
	t.Parallel()
	tr := synthetic(12, 5)
	first, second := tr.Halves()
	together, alone := histories(tr, first), histories(tr, first)
	for i := range 4 { // two that began with the others, and two later
		for _, all := range []*[]*forecast.History{&together, &alone} {
			h := forecast.NewHistory(fmt.Sprint("idle ", i), "", (*all)[0].Start()+int64(i/2))
			h.Advance((*all)[0].Next())
			*all = append(*all, h)
		}
	}
	f, single := small().New(), make([]forecast.Forecaster, len(alone))
	for i := range single {
		single[i] = small().New()
	}
	for m := second.From; m < second.From+90; m++ {
		a := f.Forecast(together, 2)
		for i := range alone {
			b := single[i].Forecast(alone[i:i+1], 2)[0]
			for k := range b {
				if a[i][k].Quantile(0.9) != b[k].Quantile(0.9) || a[i][k].CDF(0) != b[k].CDF(0) || a[i][k].Mean() != b[k].Mean() {
					t.Fatalf("minute %d, function %d: a mean of %v and P(0) of %v among others, %v and %v alone", m, i, a[i][k].Mean(), a[i][k].CDF(0), b[k].Mean(), b[k].CDF(0))
				}
			}
		}
		for i := range tr.Functions {
			for _, h := range []*forecast.History{together[i], alone[i]} {
				if err := h.Observe(h.Next(), float64(tr.Functions[i].Counts.At(m))); err != nil {
					t.Fatal(err)
				}
			}
		}
		for i := len(tr.Functions); i < len(alone); i++ {
			together[i].Advance(together[i].Next() + 1)
			alone[i].Advance(alone[i].Next() + 1)
			if i == len(alone)-1 && m == second.From+40 { // one is called after all
				for _, h := range []*forecast.History{together[i], alone[i]} {
					if err := h.Observe(h.Next(), 1); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}

// TestTrainingIsDeterministic, on any number of cores.
func TestTrainingIsDeterministic(t *testing.T) {
	t.Parallel()
	tr := synthetic(15, 4)
	first, _ := tr.Halves()
	train := func() []byte {
		m, err := hurdle.Learner{Rows: 3000, Epochs: 2}.Train(histories(tr, first), forecast.Budget{}, rand.New(rand.NewPCG(5, 5)))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := m.(*hurdle.Model).Save(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	if !bytes.Equal(train(), train()) {
		t.Error("equal arguments, different models")
	}
}

// TestBudget: training that is stopped at any step leaves a usable model.
func TestBudget(t *testing.T) {
	t.Parallel()
	tr := synthetic(10, 4)
	first, _ := tr.Halves()
	for _, steps := range []int{1, 5, 40, 165} {
		left := steps
		m, err := hurdle.Learner{Rows: 2000}.Train(histories(tr, first), forecast.Budget{Continue: func() bool { left--; return left >= 0 }}, rand.New(rand.NewPCG(5, 5)))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range m.New().Forecast(histories(tr, first), 1) {
			if err := forecasttest.Distribution(d[0]); err != nil {
				t.Fatalf("after %d steps: %v", steps, err)
			}
		}
	}
}

func TestTrainWithoutData(t *testing.T) {
	t.Parallel()
	_, err := hurdle.Learner{}.Train([]*forecast.History{forecast.NewHistory("f", "", 0)}, forecast.Budget{}, rand.New(rand.NewPCG(5, 5)))
	if err == nil {
		t.Error("no error")
	}
}

func TestSaveLoad(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := small().Save(&b); err != nil {
		t.Fatal(err)
	}
	m, err := hurdle.Load(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	tr := synthetic(10, 3)
	first, _ := tr.Halves()
	want, got := small().New().Forecast(histories(tr, first), 1), m.New().Forecast(histories(tr, first), 1)
	for i := range want {
		if want[i][0].CDF(0) != got[i][0].CDF(0) || want[i][0].Mean() != got[i][0].Mean() {
			t.Fatalf("function %d is predicted differently", i)
		}
	}
	saved := b.Bytes()
	for _, at := range []int{0, 9, 30, len(saved) / 2, len(saved) - 1} {
		bad := bytes.Clone(saved)
		bad[at] ^= 1
		if _, err := hurdle.Load(bytes.NewReader(bad)); !errors.Is(err, forecast.ErrCorrupt) {
			t.Errorf("byte %d changed: %v", at, err)
		}
	}
	if _, err := hurdle.Load(bytes.NewReader(saved[:len(saved)/3])); !errors.Is(err, forecast.ErrCorrupt) {
		t.Errorf("cut short: %v", err)
	}
	b.Reset()
	if err := forecast.Save(&b, hurdle.Name, math.MaxUint32, struct{ X int }{1}); err != nil {
		t.Fatal(err)
	}
	if _, err := hurdle.Load(&b); !errors.Is(err, forecast.ErrIncompatible) {
		t.Errorf("other version: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	var b bytes.Buffer
	if err := forecast.Save(&b, hurdle.Name, 3, struct{ Features []string }{[]string{"age"}}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("AQTPMODL"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := hurdle.Load(bytes.NewReader(data)); err == nil {
			t.Skip("a model")
		}
	})
}
