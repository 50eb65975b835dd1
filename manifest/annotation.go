package manifest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aquatope/aquatope/function"
)

// Annotations of Aquatope: what Knative has no word for.
const (
	cpuRangeKey     = "aquatope.dev/cpu-range"
	memoryRangeKey  = "aquatope.dev/memory-range"
	commandKey      = "aquatope.dev/command"
	directoryKey    = "aquatope.dev/working-directory"
	startTimeoutKey = "aquatope.dev/start-timeout"
	payloadsKey     = "aquatope.dev/payloads"
	scheduleKey     = "aquatope.dev/warm-schedule"
	digestKey       = "aquatope.dev/digest"

	minScaleKey = "autoscaling.knative.dev/min-scale"
	maxScaleKey = "autoscaling.knative.dev/max-scale"
	targetKey   = "autoscaling.knative.dev/target"
	metricKey   = "autoscaling.knative.dev/metric"
)

var knownAnnotations = []string{
	cpuRangeKey, memoryRangeKey, commandKey, directoryKey, startTimeoutKey, payloadsKey, scheduleKey, digestKey,
	minScaleKey, maxScaleKey, targetKey, metricKey,
	"serving.knative.dev/creator", "serving.knative.dev/lastModifier", // written by the cluster, mean nothing
}

// poolHint tells why knobs of Knative's autoscaler are refused.
const poolHint = "delete it, the pool scheduler decides when instances start and stop"

// annotated applies the annotations to f.
func (r *reader) annotated(a *annotations, f *function.Function) {
	for _, n := range a.list {
		if slices.Contains(knownAnnotations, n.key) || !owned(n.key) {
			continue
		}
		hint := ""
		if near := nearestAnnotation(n.key); near != "" {
			hint = "did you mean " + near + "?"
		} else if strings.HasPrefix(n.key, "autoscaling.knative.dev/") {
			hint = poolHint
		}
		r.fail(n.at, n.path, hint, "unknown annotation %s", n.key)
	}
	r.scale(a, f)
	if n := a.get(commandKey); n != nil {
		f.Command = r.command(n)
	}
	if n := a.get(directoryKey); n != nil {
		f.Dir = n.value.text
		if f.Dir == "" {
			r.fail(n.at, n.path, "write a path relative to the manifest", "is empty")
		}
	}
	if n := a.get(digestKey); n != nil {
		f.Digest = n.value.text
	}
	if n := a.get(startTimeoutKey); n != nil {
		f.StartTimeout = r.shortDuration(n.value, n.path)
	}
	f.Space.CPU = r.space(a.get(cpuRangeKey), cpuUnit, defaultCPURange, int64(f.Resources.CPU))
	f.Space.Memory = r.space(a.get(memoryRangeKey), memoryUnit, defaultMemoryRange, int64(f.Resources.Memory))
	if n := a.get(scheduleKey); n != nil {
		f.Scale.Schedule = r.schedule(n)
	}
	if n := a.get(payloadsKey); n != nil {
		f.Payloads = r.payloadsText(n)
	}
}

// nearestAnnotation returns the known annotation of the same owner that key is
// probably a slip of, or "".
func nearestAnnotation(key string) string {
	owner, name, _ := strings.Cut(key, "/")
	var names []string
	for _, known := range knownAnnotations {
		if o, n, _ := strings.Cut(known, "/"); o == owner {
			names = append(names, n)
		}
	}
	if near := nearest(name, names); near != "" {
		return owner + "/" + near
	}
	return ""
}

// space reads a range; v is the value of the resource that is deployed first.
func (r *reader) space(n *annotation, u unit, fallback function.Range, v int64) function.Range {
	if n == nil {
		return rangeFor(fallback, v)
	}
	g, err := rangeOf(n.value.text, u, fallback.Step)
	switch {
	case err != nil:
		example := "100m..4,100m"
		if u.name == "memory" {
			example = "128Mi..2Gi,64Mi"
		}
		r.fail(n.at, n.path, "write minimum..maximum,step such as "+example, "%q is not a range: %v", n.value.text, err)
	case v < g.Min || v > g.Max:
		r.fail(n.at, n.path, "widen the range or change resources.limits", "the function starts with a %s outside this range", u.name)
	}
	return g
}

// scale reads the bounds of the number of instances.
func (r *reader) scale(a *annotations, f *function.Function) {
	count := func(key string, low int) int {
		n := a.get(key)
		if n == nil {
			return 0
		}
		v, err := strconv.Atoi(n.value.text)
		if err != nil || v < low || v > 100_000 {
			r.fail(n.at, n.path, "", "must be a whole number of at least %d, not %q", low, n.value.text)
		}
		return v
	}
	f.Scale.Min = count(minScaleKey, 0)
	f.Scale.Max = count(maxScaleKey, 0)
	if f.Scale.Max > 0 && f.Scale.Min > f.Scale.Max {
		n := a.get(minScaleKey)
		r.fail(n.at, n.path, "", "min-scale %d exceeds max-scale %d", f.Scale.Min, f.Scale.Max)
	}
	if n := a.get(metricKey); n != nil && n.value.text != "concurrency" {
		r.fail(n.at, n.path, poolHint, "metric %q is not supported", n.value.text)
	}
	if n := a.get(targetKey); n != nil {
		target := count(targetKey, 1)
		switch {
		case a.concurrency == nil:
			f.Concurrency = max(target, 1)
		case target != f.Concurrency:
			r.fail(n.at, n.path, "leave it out", "the target %d differs from containerConcurrency %d, which holds", target, f.Concurrency)
		}
	}
}

// command reads the command of the process driver: a JSON list, or a path.
func (r *reader) command(n *annotation) []string {
	text := strings.TrimSpace(n.value.text)
	if !strings.HasPrefix(text, "[") {
		if text == "" || strings.ContainsAny(text, " \t\n") {
			r.fail(n.at, n.path, `write a list such as '["./bin/resize", "--fast"]'`, "must be one path or a list, not %q", abbreviate(text))
		}
		return []string{text}
	}
	docs, err := readText("", []byte(text))
	if err != nil || len(docs) != 1 || docs[0] == nil || docs[0].kind != kindList || len(docs[0].list) == 0 {
		r.fail(n.at, n.path, `write a list such as '["./bin/resize", "--fast"]'`, "is not a list of strings")
		return nil
	}
	var words []string
	for i, v := range docs[0].list {
		if v.kind != kindString {
			r.fail(n.at, fmt.Sprintf("%s[%d]", n.path, i), "quote it", "must be a string, not %s", v.kind)
		}
		words = append(words, v.text)
	}
	return words
}
