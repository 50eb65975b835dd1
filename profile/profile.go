package profile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"

	"github.com/aquatope/aquatope/function"
)

// What a profile file says of itself.
const (
	APIVersion = "aquatope.dev/v1alpha1"
	Kind       = "Profile"
)

// maxBytes bounds the size of a file.
const maxBytes = 256 << 20

// Profile is the content of a profile file.
type Profile struct {
	APIVersion  string            `json:"apiVersion"`
	Kind        string            `json:"kind"`
	Description string            `json:"description,omitempty"`
	Machine     map[string]string `json:"machine,omitempty"` // what it was measured on
	Workflow    Workflow          `json:"workflow"`
	Functions   []Function        `json:"functions"`
}

// Workflow is the shape of a workflow and its promise.
type Workflow struct {
	Name  string `json:"name"`
	QoS   QoS    `json:"qos"`
	Graph Node   `json:"graph"`
	// Inputs are what runs were measured with; none means that it is not known
	// which sample belongs to which, nor which way runs take with which.
	Inputs []Input `json:"inputs,omitempty"`
}

// Input is one input of a workflow, and how often runs get it relative to others.
type Input struct {
	Name   string  `json:"name"`
	Weight float64 `json:"weight"`
}

// QoS is a promise in the units of the file.
type QoS struct {
	LatencyMillis float64 `json:"latencyMillis"`
	Percentile    float64 `json:"percentile"`
}

// Function is what was measured of one function.
type Function struct {
	Name string `json:"name"`
	// Space is what may be chosen; the hull of the grid, in steps of 100m and
	// 64 MiB, where absent. Choices outside of the hull are not allowed.
	Space *Space `json:"space,omitempty"`
	// MemoryFloorBytes is the least memory the function works with; an
	// invocation with less is killed. 0 means the smallest of the grid.
	MemoryFloorBytes function.Bytes `json:"memoryFloorBytes,omitempty"`
	// PeakMemoryBytes are samples of the peak memory of invocations that had
	// ample memory; none means that it was not measured.
	PeakMemoryBytes []function.Bytes `json:"peakMemoryBytes,omitempty"`
	// ColdStartMillis are samples of the time from start to ready of which is not
	// known with what resources; others are in their cells.
	ColdStartMillis []float64 `json:"coldStartMillis,omitempty"`
	Grid            []Cell    `json:"grid"`
}

// Space is a function.Space in the names of the file.
type Space struct {
	CPUMillis   function.Range `json:"cpuMillis"`
	MemoryBytes function.Range `json:"memoryBytes"`
}

// Cell holds the service times of invocations with the same resources.
type Cell struct {
	CPUMillis     function.MilliCPU `json:"cpuMillis"`
	MemoryBytes   function.Bytes    `json:"memoryBytes"`
	ServiceMillis []float64         `json:"serviceMillis"`
	// Inputs tells of each service time which of the workflow's inputs its run
	// had, from 0; absent where that is not known.
	Inputs []int `json:"inputs,omitempty"`
	// ColdStartMillis are samples of the time from start to ready with these
	// resources.
	ColdStartMillis []float64 `json:"coldStartMillis,omitempty"`
}

// AllColdStartMillis returns all samples of the time from start to ready.
func (f *Function) AllColdStartMillis() []float64 {
	out := slices.Clone(f.ColdStartMillis)
	for _, c := range f.Grid {
		out = append(out, c.ColdStartMillis...)
	}
	return out
}

// Read reads and checks a profile. Unknown fields are an error, as they are
// usually known ones misspelt.
func Read(r io.Reader) (*Profile, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading a profile: %w", err)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, errors.New("reading a profile: the file is empty")
	}
	if len(text) > maxBytes {
		return nil, fmt.Errorf("reading a profile: more than %d MiB", maxBytes>>20)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var p Profile
	err = dec.Decode(&p)
	if err != nil {
		// A document of another kind is that first, whatever else is wrong with it.
		var head struct{ APIVersion, Kind string }
		if json.Unmarshal(text, &head) != nil || head.APIVersion == APIVersion && head.Kind == Kind {
			return nil, fmt.Errorf("reading a profile: %w", position(text, dec, err))
		}
		p.APIVersion, p.Kind = head.APIVersion, head.Kind
	}
	if p.APIVersion != APIVersion || p.Kind != Kind {
		return nil, fmt.Errorf("reading a profile: it is apiVersion %q, kind %q; want %q, %q", p.APIVersion, p.Kind, APIVersion, Kind)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("reading a profile: more follows after the document")
	}
	if _, err := New(&p); err != nil {
		return nil, err
	}
	return &p, nil
}

// position adds the line of a syntax or type error.
func position(text []byte, dec *json.Decoder, err error) error {
	offset := dec.InputOffset()
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		offset, err = int64(len(text)), errors.New("the document is not complete: the file was cut off")
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset, err = kind.Offset, wrongType(kind)
	}
	offset = min(offset, int64(len(text)))
	return fmt.Errorf("line %d: %w", 1+bytes.Count(text[:offset], []byte("\n")), err)
}

// wrongType says in words of JSON what a value is and should be.
func wrongType(e *json.UnmarshalTypeError) error {
	want := "a number"
	switch e.Type.Kind() {
	case reflect.String:
		want = "a text"
	case reflect.Slice:
		want = "a list"
	case reflect.Struct, reflect.Map, reflect.Pointer:
		want = "an object"
	case reflect.Int, reflect.Int64:
		want = "a whole number"
	}
	return fmt.Errorf("%s: %s where %s belongs", cmp.Or(e.Field, "the document"), e.Value, want)
}

// Write writes p as a file that Read accepts.
func (p *Profile) Write(w io.Writer) error {
	out := *p
	out.APIVersion, out.Kind = APIVersion, Kind
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("writing a profile: %w", err)
	}
	return nil
}
