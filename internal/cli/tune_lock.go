package cli

import (
	"fmt"
	"io"

	"github.com/goccy/go-yaml"

	"github.com/aquatope/aquatope/manifest"
	"github.com/aquatope/aquatope/server/api"
)

// writeLock writes a recommendation as a document that deploy takes.
func writeLock(w io.Writer, name string, r *api.Recommendation) error {
	functions := yaml.MapSlice{}
	for _, f := range r.Functions {
		functions = append(functions, yaml.MapItem{Key: f.Function, Value: yaml.MapSlice{
			{Key: "cpu", Value: fmt.Sprintf("%dm", int64(f.To.CPU))}, {Key: "memory", Value: f.To.Memory.String()},
		}})
	}
	promise := ""
	if r.Promised != nil {
		promise = fmt.Sprintf("# Predicted: %s, from %d runs.\n", promisedText(r), r.Runs)
	}
	text, err := yaml.Marshal(yaml.MapSlice{
		{Key: "apiVersion", Value: manifest.LockAPIVersion},
		{Key: "kind", Value: manifest.LockKind},
		{Key: "metadata", Value: yaml.MapSlice{{Key: "name", Value: name}}},
		{Key: "functions", Value: functions},
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "# Resources that aquatope tune %s recommends for %v.\n%s%s", name, qosText(r.QoS), promise, text)
	return err
}
