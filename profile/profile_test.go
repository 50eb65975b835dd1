package profile_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/profile"
	"github.com/google/go-cmp/cmp"
)

func small() *profile.Profile {
	p := &profile.Profile{
		APIVersion: profile.APIVersion, Kind: profile.Kind,
		Workflow: profile.Workflow{
			Name: "two", QoS: profile.QoS{LatencyMillis: 800, Percentile: 95},
			Graph: profile.Node{Series: []profile.Node{
				{Stage: "a"},
				{Parallel: []profile.Node{{Stage: "b", Function: "a"}, {DelayMillis: 20}}},
				{Choice: []profile.Way{{Probability: profile.Rates{0.25}, Do: profile.Node{Stage: "c", Function: "a"}}, {Probability: profile.Rates{0.75}, Do: profile.Node{Series: []profile.Node{}}}}},
				{Loop: &profile.Loop{Count: profile.Rates{3}, Width: 2, Do: profile.Node{Stage: "d", Function: "a"}}},
				{Race: []profile.Node{{Stage: "e", Function: "a"}, {DelayMillis: 20}}},
			}},
		},
		Functions: []profile.Function{{
			Name: "a", MemoryFloorBytes: 128 * function.MiB,
			PeakMemoryBytes: []function.Bytes{100 * function.MiB}, ColdStartMillis: []float64{300, 250},
		}},
	}
	for _, c := range []function.MilliCPU{1000, 4000} {
		for _, m := range []function.Bytes{64 * function.MiB, 128 * function.MiB, 512 * function.MiB} {
			base := 4e5 / float64(c)
			p.Functions[0].Grid = append(p.Functions[0].Grid, profile.Cell{CPUMillis: c, MemoryBytes: m, ServiceMillis: []float64{base, 2 * base, 4 * base}})
		}
	}
	return p
}

func TestRoundTrip(t *testing.T) {
	var buf bytes.Buffer
	p := small()
	p.Workflow.Graph.Series[2].Choice[1].Do.Series = []profile.Node{{DelayMillis: 1}} // an empty one is left out
	if err := p.Write(&buf); err != nil {
		t.Fatal(err)
	}
	got, err := profile.Read(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(p, got); d != "" {
		t.Error(d)
	}
}

// Samples of 0.4, 0.8 and 1.6 s at 1 CPU and a quarter of that at 4: halfway in
// the logarithm of CPU, at 2, every quantile is half.
func TestInterpolation(t *testing.T) {
	m, err := profile.New(small())
	if err != nil {
		t.Fatal(err)
	}
	f := m.Function("a")
	for _, c := range []struct {
		r       function.Resources
		u, want float64
	}{
		{function.Resources{CPU: 1000, Memory: 128 * function.MiB}, 0.5, 0.8},
		{function.Resources{CPU: 1000, Memory: 300 * function.MiB}, 1, 1.6},
		{function.Resources{CPU: 2000, Memory: 256 * function.MiB}, 0, 0.2},
		{function.Resources{CPU: 2000, Memory: 256 * function.MiB}, 0.75, 0.4 * math.Sqrt2},
		{function.Resources{CPU: 8000, Memory: 512 * function.MiB}, 0.5, 0.2}, // outside: the nearest
	} {
		if got := f.Quantile(c.r, c.u); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("quantile %v at %v: %v, want %v", c.u, c.r, got, c.want)
		}
	}
	if got := f.Mean(-1, function.Resources{CPU: 1000, Memory: 128 * function.MiB}); got < 0.85 || got > 0.9 {
		// the mean of exp of a piecewise linear quantile function: 0.4·3·ln2... = 0.8656
		t.Errorf("mean %v, want 0.866", got)
	}
	if f.Works(function.Resources{CPU: 1000, Memory: 127 * function.MiB}) {
		t.Error("works below the floor")
	}
}

func TestBadProfiles(t *testing.T) {
	for name, spoil := range map[string]func(*profile.Profile){
		"no name":              func(p *profile.Profile) { p.Workflow.Name = "" },
		"no promise":           func(p *profile.Profile) { p.Workflow.QoS.LatencyMillis = 0 },
		"less than a ns":       func(p *profile.Profile) { p.Workflow.QoS.LatencyMillis = 1e-7 },
		"percentile 100":       func(p *profile.Profile) { p.Workflow.QoS.Percentile = 100 },
		"no graph":             func(p *profile.Profile) { p.Workflow.Graph = profile.Node{} },
		"two kinds":            func(p *profile.Profile) { p.Workflow.Graph.Stage = "x" },
		"unknown function":     func(p *profile.Profile) { p.Functions[0].Name = "z" },
		"function twice":       func(p *profile.Profile) { p.Functions = append(p.Functions, p.Functions[0]) },
		"missing cell":         func(p *profile.Profile) { p.Functions[0].Grid = p.Functions[0].Grid[:5] },
		"cell twice":           func(p *profile.Profile) { p.Functions[0].Grid[1] = p.Functions[0].Grid[2] },
		"negative time":        func(p *profile.Profile) { p.Functions[0].Grid[1].ServiceMillis[0] = -1 },
		"no samples":           func(p *profile.Profile) { p.Functions[0].Grid[1].ServiceMillis = nil },
		"floor above the grid": func(p *profile.Profile) { p.Functions[0].MemoryFloorBytes = 9 * function.GiB },
		"space beyond": func(p *profile.Profile) {
			p.Functions[0].Space = &profile.Space{CPUMillis: function.Range{Min: 100, Max: 9000, Step: 100}, MemoryBytes: function.Range{Min: 1 << 27, Max: 1 << 28, Step: 1 << 20}}
		},
		"inverted space": func(p *profile.Profile) {
			p.Functions[0].Space = &profile.Space{CPUMillis: function.Range{Min: 2000, Max: 1000, Step: 100}, MemoryBytes: function.Range{Min: 1 << 27, Max: 1 << 28, Step: 1 << 20}}
		},
		"probabilities": func(p *profile.Profile) { p.Workflow.Graph.Series[2].Choice[0].Probability = profile.Rates{0.5} },
	} {
		p := small()
		spoil(p)
		if _, err := profile.New(p); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	var whole strings.Builder
	if err := small().Write(&whole); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"unknown field": `{"apiVersion":"aquatope.dev/v1alpha1","kind":"Profile","surprise":1}`,
		"other kind":    `{"apiVersion":"aquatope.dev/v1alpha1","kind":"Workflow"}`,
		"another":       whole.String() + "{}",
		"a bracket":     whole.String() + "}",
		"cut off":       whole.String()[:whole.Len()-3],
		"empty":         ``,
	} {
		if _, err := profile.Read(strings.NewReader(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Who gives another file, or a wrong value, is told in words of the file.
func TestReadSaysWhatIsWrong(t *testing.T) {
	const head = `{"apiVersion": "aquatope.dev/v1alpha1", "kind": "Profile", `
	for _, c := range []struct{ text, want string }{
		{`{"kind": "TuneReport", "rows": []}`, `it is apiVersion "", kind "TuneReport"; want`},
		{`[]`, "line 1: the document: array where an object belongs"},
		{head + "\n" + `"functions": 3}`, "line 2: functions: number where a list belongs"},
		{head + `"workflow": {"name": 3}}`, "workflow.name: number where a text belongs"},
		{head + `"workflow": {"qos": {"percentile": "x"}}}`, "workflow.qos.percentile: string where a number belongs"},
		{head + `"functions": [{"memoryFloorBytes": 0.5}]}`, "functions.memoryFloorBytes: number 0.5 where a whole number belongs"},
		{head + `"colour": 3}`, `unknown field "colour"`},
	} {
		if _, err := profile.Read(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.text, err, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	var buf bytes.Buffer
	if err := small().Write(&buf); err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.Clone(buf.Bytes()))
	f.Add([]byte(`{"apiVersion":"aquatope.dev/v1alpha1","kind":"Profile","workflow":{"graph":{"series":[{"loop":{"count":1e9,"do":{"stage":"a"}}}]}}}`))
	buf.Reset()
	apart := withInputs()
	apart.Workflow.Graph.Series[2].Choice[0].Probability = profile.Rates{0, 1}
	apart.Workflow.Graph.Series[2].Choice[1].Probability = profile.Rates{1, 0}
	apart.Workflow.Graph.Series[3].Loop.Count = profile.Rates{4, 2.5}
	if err := apart.Write(&buf); err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.Clone(buf.Bytes()))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := profile.Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		m, err := profile.New(p)
		if err != nil {
			t.Fatalf("read but not usable: %v", err)
		}
		if err := m.Graph.CheckInputs(len(m.Inputs)); err != nil {
			t.Fatalf("read but not usable: %v", err)
		}
		for input := range 1 + len(m.Inputs) {
			for s, v := range m.Graph.VisitRatiosOf(input - 1) {
				if !(v >= 0) {
					t.Fatalf("stage %d is invoked %v times", s, v)
				}
			}
		}
		for _, fn := range m.Functions {
			for _, r := range []function.Resources{fn.Space.Smallest(), fn.Space.Largest()} {
				if v := fn.Quantile(r, 0.3); !(v > 0) || math.IsInf(v, 0) {
					t.Fatalf("quantile %v at %v", v, r)
				}
			}
		}
	})
}

// withInputs is small with inputs of which the second takes ten times as long.
func withInputs() *profile.Profile {
	p := small()
	p.Workflow.Inputs = []profile.Input{{Name: "photo", Weight: 3}, {Name: "film", Weight: 1}}
	for i := range p.Functions[0].Grid {
		c := &p.Functions[0].Grid[i]
		photo := c.ServiceMillis[0]
		c.ServiceMillis, c.Inputs = []float64{photo, 10 * photo, photo, photo}, []int{0, 1, 0, 0}
	}
	return p
}

func TestInputs(t *testing.T) {
	m, err := profile.New(withInputs())
	if err != nil {
		t.Fatal(err)
	}
	f, r := m.Function("a"), function.Resources{CPU: 2000, Memory: 256 * function.MiB}
	for input, want := range map[int]float64{0: 0.2, 1: 2} {
		times := f.Of(input, r)
		for _, u := range []float64{0, 0.5, 0.99} {
			if got := times.Quantile(u); math.Abs(got-want) > 1e-12 {
				t.Errorf("input %d takes %v at quantile %v, want %v", input, got, u, want)
			}
		}
	}
	if got, want := f.Mean(-1, r), 0.75*0.2+0.25*2; math.Abs(got-want) > 1e-12 {
		t.Errorf("mean of %v, want %v", got, want)
	}
	count := [2]int{}
	for i := range 1000 {
		count[m.InputAt((float64(i)+0.5)/1000)]++
	}
	if count != [2]int{750, 250} {
		t.Errorf("%v runs have the inputs, want 750 and 250", count)
	}
	// Known of every run, the input makes all its stages slow together.
	latencies, err := m.Sample(2000, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	middle := 0
	for _, l := range latencies {
		if l > 1.1 && l < 3 { // some stages with photos, some with films
			middle++
		}
	}
	if middle > 0 {
		t.Errorf("%d of 2000 runs mix their inputs", middle)
	}
}

// With inputs that take other ways, runs with each take theirs, and those of
// unknown input the mean.
func TestWaysOfInputs(t *testing.T) {
	p := withInputs()
	p.Workflow.Graph.Series[2].Choice[0].Probability = profile.Rates{0, 1}
	p.Workflow.Graph.Series[2].Choice[1].Probability = profile.Rates{1, 0}
	p.Workflow.Graph.Series[3].Loop.Count = profile.Rates{4, 2}
	var buf bytes.Buffer
	if err := p.Write(&buf); err != nil {
		t.Fatal(err)
	}
	read, err := profile.Read(&buf)
	if err != nil {
		t.Fatal(err)
	}
	m, err := profile.New(read)
	if err != nil {
		t.Fatal(err)
	}
	for input, want := range map[int][]float64{-1: {1, 1, 0.25, 3.5, 1}, 0: {1, 1, 0, 4, 1}, 1: {1, 1, 1, 2, 1}} {
		if got := m.Graph.VisitRatiosOf(input); !cmp.Equal(got, want) {
			t.Errorf("input %d visits the stages %v times, want %v", input, got, want)
		}
	}
	if got, want := profile.NodeOf(m.Graph), p.Workflow.Graph; !cmp.Equal(got.Series[3], want.Series[3]) || !cmp.Equal(got.Series[2].Choice[0].Probability, want.Series[2].Choice[0].Probability) {
		t.Errorf("written as %+v, want %+v", got, want)
	}
}

// An input that a function never got is served from all of its samples.
func TestInputWithoutSamples(t *testing.T) {
	p := withInputs()
	p.Workflow.Inputs = append(p.Workflow.Inputs, profile.Input{Name: "poem", Weight: 4})
	m, err := profile.New(p)
	if err != nil {
		t.Fatal(err)
	}
	f, r := m.Function("a"), function.Resources{CPU: 1000, Memory: 128 * function.MiB}
	times := f.Of(2, r)
	if got, want := times.Quantile(0.9), f.Quantile(r, 0.9); got != want {
		t.Errorf("quantile %v, want that of all, %v", got, want)
	}
}

func TestBadInputs(t *testing.T) {
	for name, spoil := range map[string]func(*profile.Profile){
		"no name":       func(p *profile.Profile) { p.Workflow.Inputs[0].Name = "" },
		"no weight":     func(p *profile.Profile) { p.Workflow.Inputs[0].Weight = 0 },
		"unknown input": func(p *profile.Profile) { p.Functions[0].Grid[0].Inputs[0] = 2 },
		"too few":       func(p *profile.Profile) { p.Functions[0].Grid[5].Inputs = []int{1} },
		"count of three": func(p *profile.Profile) {
			p.Workflow.Graph.Series[3].Loop.Count = profile.Rates{1, 2, 3}
		},
		"no count":       func(p *profile.Profile) { p.Workflow.Graph.Series[3].Loop.Count = nil },
		"negative count": func(p *profile.Profile) { p.Workflow.Graph.Series[3].Loop.Count = profile.Rates{1, -1} },
		"probabilities of an input": func(p *profile.Profile) {
			p.Workflow.Graph.Series[2].Choice[0].Probability = profile.Rates{0.25, 1}
		},
	} {
		p := withInputs()
		p.Functions[0].MemoryFloorBytes = 0
		spoil(p)
		if _, err := profile.New(p); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
