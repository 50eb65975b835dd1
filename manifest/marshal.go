package manifest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/workflow"
)

// Marshal writes a bundle as JSON documents that Parse reads back to the same
// bundle, on any machine where the paths in it exist: references are inlined,
// paths absolute and payload files included.
func Marshal(b *Bundle) ([]byte, error) {
	var out bytes.Buffer
	write := func(v any) error {
		text, err := json.MarshalIndent(v, "", "  ")
		out.Write(text)
		out.WriteByte('\n')
		return err
	}
	for _, w := range b.Workflows {
		if err := write(workflowDocument(w)); err != nil {
			return nil, fmt.Errorf("writing workflow %s: %w", w.Name, err)
		}
	}
	for _, f := range b.Functions {
		doc, err := serviceDocument(f)
		if err == nil {
			err = write(doc)
		}
		if err != nil {
			return nil, fmt.Errorf("writing function %s: %w", f.Name, err)
		}
	}
	return out.Bytes(), nil
}

// dict is a JSON object under construction.
type dict map[string]any

// put sets a key unless the value is the zero value of its type.
func put[T comparable](d dict, key string, v T) {
	var zero T
	if v != zero {
		d[key] = v
	}
}

// putList sets a key unless the list is empty.
func putList[T any](d dict, key string, v []T) {
	if len(v) > 0 {
		d[key] = v
	}
}

// exact returns v with its numbers written so that they are read back as they
// are: encoding/json writes large whole floats in digits, like integers.
func exact(v any) any {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) >= 1<<53 {
			return json.Number(strconv.FormatFloat(v, 'e', -1, 64))
		}
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = exact(v[i])
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for k := range v {
			object[k] = exact(v[k])
		}
		return object
	}
	return v
}

// serviceDocument is the Knative Service of f.
func serviceDocument(f function.Function) (dict, error) {
	notes := dict{
		cpuRangeKey:     fmt.Sprintf("%dm..%dm,%dm", f.Space.CPU.Min, f.Space.CPU.Max, f.Space.CPU.Step),
		memoryRangeKey:  fmt.Sprintf("%d..%d,%d", f.Space.Memory.Min, f.Space.Memory.Max, f.Space.Memory.Step),
		startTimeoutKey: f.StartTimeout.String(),
	}
	put(notes, directoryKey, f.Dir)
	put(notes, digestKey, f.Digest)
	if f.Scale.Min > 0 {
		notes[minScaleKey] = strconv.Itoa(f.Scale.Min)
	}
	if f.Scale.Max > 0 {
		notes[maxScaleKey] = strconv.Itoa(f.Scale.Max)
	}
	for key, value := range map[string]any{commandKey: f.Command, payloadsKey: payloadList(f.Payloads), scheduleKey: f.Scale.Schedule} {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		if s := string(text); s != "null" && s != "[]" {
			notes[key] = s
		}
	}
	metadata := dict{"name": f.Name, "annotations": notes}
	put(metadata, "namespace", f.Namespace)
	if len(f.Labels) > 0 {
		metadata["labels"] = f.Labels
	}
	container := dict{"resources": dict{"limits": dict{
		"cpu": fmt.Sprintf("%dm", f.Resources.CPU), "memory": strconv.FormatInt(int64(f.Resources.Memory), 10),
	}}}
	put(container, "image", f.Image)
	putList(container, "command", f.Entrypoint)
	putList(container, "args", f.Args)
	putList(container, "env", f.Env)
	return dict{
		"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": metadata,
		"spec": dict{"template": dict{"spec": dict{
			"containerConcurrency": f.Concurrency, "timeoutSeconds": int(f.Timeout.Seconds()), "containers": []any{container},
		}}},
	}, nil
}

func payloadList(payloads []function.Payload) []any {
	var list []any
	for _, p := range payloads {
		d := dict{"weight": p.Weight}
		put(d, "name", p.Name)
		if n, err := readText("payload.json", p.Body); err == nil && len(n) == 1 && bytes.Equal(canonical(n[0]), p.Body) {
			d["body"] = json.RawMessage(p.Body)
		} else {
			d["bodyBase64"] = base64.StdEncoding.EncodeToString(p.Body)
		}
		list = append(list, d)
	}
	return list
}

// workflowDocument is the specification's document of w.
func workflowDocument(w *workflow.Workflow) dict {
	head := dict{"dsl": "1.0.3", "namespace": w.Namespace, "name": w.Name, "version": w.Version}
	put(head, "title", w.Title)
	put(head, "summary", w.Summary)
	if len(w.Tags) > 0 {
		head["tags"] = w.Tags
	}
	metadata := dict{}
	if w.QoS != (workflow.QoS{}) {
		metadata["qos"] = dict{"latency": formatISO(w.QoS.Latency), "percentile": w.QoS.Percentile}
	}
	if len(w.Payloads) > 0 {
		metadata["payloads"] = payloadList(w.Payloads)
	}
	if len(metadata) > 0 {
		head["metadata"] = metadata
	}
	d := dict{"document": head, "do": taskList(w.Do)}
	if w.Input != "" {
		d["input"] = dict{"from": w.Input}
	}
	if w.Output != "" {
		d["output"] = dict{"as": w.Output}
	}
	if w.Timeout > 0 {
		d["timeout"] = dict{"after": formatISO(w.Timeout)}
	}
	return d
}
