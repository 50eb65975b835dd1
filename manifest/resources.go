package manifest

import (
	"fmt"
	"strings"

	"github.com/aquatope/aquatope/function"
)

// Defaults of resources and of the space to tune in.
const (
	defaultCPU    = function.MilliCPU(1000)
	defaultMemory = 512 * function.MiB
)

var (
	defaultCPURange    = function.Range{Min: 100, Max: 4000, Step: 100}
	defaultMemoryRange = function.Range{Min: 128 * int64(function.MiB), Max: 4 * int64(function.GiB), Step: 64 * int64(function.MiB)}
)

// unit is one of the two resources.
type unit struct {
	name  string
	parse func(string) (int64, error)
}

var (
	cpuUnit = unit{"cpu", func(s string) (int64, error) {
		v, err := function.ParseMilliCPU(s)
		return int64(v), err
	}}
	memoryUnit = unit{"memory", func(s string) (int64, error) {
		v, err := function.ParseBytes(s)
		return int64(v), err
	}}
)

// resources reads resources, nil for none. The limits are what an instance
// gets; requests stand in for limits that are absent.
func (r *reader) resources(n *node, path string) function.Resources {
	res := function.Resources{CPU: defaultCPU, Memory: defaultMemory}
	if n == nil {
		return res
	}
	o := r.object(n, path)
	if o == nil {
		return res
	}
	requests := r.quantities(o, "requests")
	limits := r.quantities(o, "limits")
	pick := func(u unit, fallback int64) int64 {
		limit, request := limits[u.name], requests[u.name]
		switch {
		case limit > 0 && request > limit:
			r.fail(n.at, path, "raise the limit", "the request for %s exceeds the limit", u.name)
		case limit > 0:
			return limit
		case request > 0:
			return request
		}
		return fallback
	}
	res.CPU = function.MilliCPU(pick(cpuUnit, int64(defaultCPU)))
	res.Memory = function.Bytes(pick(memoryUnit, int64(defaultMemory)))
	o.done(map[string]string{"claims": "devices are not supported"})
	return res
}

func (r *reader) quantities(o *object, key string) map[string]int64 {
	v := o.take(key)
	if v == nil {
		return nil
	}
	q := r.object(v, o.at(key))
	if q == nil {
		return nil
	}
	found := map[string]int64{}
	for _, u := range []unit{cpuUnit, memoryUnit} {
		if v := q.take(u.name); v != nil {
			found[u.name] = r.quantity(v, q.at(u.name), u)
		}
	}
	const hint = "cpu and memory are what can be limited"
	q.done(map[string]string{"ephemeral-storage": hint, "nvidia.com/gpu": hint})
	return found
}

// quantity reads an amount, which Kubernetes allows to be a number as well.
func (r *reader) quantity(n *node, path string, u unit) int64 {
	text := n.text
	if n.kind == kindNumber {
		text = fmt.Sprint(n.number)
	} else if !r.expect(n, path, kindString, "") {
		return 0
	}
	v, err := u.parse(text)
	if err != nil {
		r.fail(n.at, path, "", "%v", err)
	}
	return v
}

// rangeOf reads "MIN..MAX" or "MIN..MAX,STEP"; v alone fixes the resource.
func rangeOf(s string, u unit, step int64) (function.Range, error) {
	bounds, by, stepped := strings.Cut(strings.ReplaceAll(s, " ", ""), ",")
	low, high, ok := strings.Cut(bounds, "..")
	if !ok {
		high = low
	}
	var g function.Range
	var err error
	if g.Min, err = u.parse(low); err != nil {
		return g, err
	}
	if g.Max, err = u.parse(high); err != nil {
		return g, err
	}
	g.Step = step
	switch {
	case stepped:
		if g.Step, err = u.parse(by); err != nil {
			return g, err
		}
	case g.Min == g.Max:
		g.Step = 1
	}
	return g, g.Validate()
}

// rangeFor widens a default range so that it spans the value v that the
// function starts with. Below the range the grid becomes the multiples of v.
func rangeFor(g function.Range, v int64) function.Range {
	switch {
	case v < g.Min:
		return function.Range{Min: v, Max: (g.Max + v - 1) / v * v, Step: v}
	case v > g.Max:
		g.Max += (v - g.Max + g.Step - 1) / g.Step * g.Step
	}
	return g
}
