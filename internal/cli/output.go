package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// APIVersion is the version of all JSON and YAML documents that commands print.
const APIVersion = "aquatope.dev/v1alpha1"

var outputs = []string{"table", "json", "yaml", "csv"}

func checkOutput(format string) error {
	if slices.Contains(outputs, format) {
		return nil
	}
	return Usagef("unknown output format %q: use one of %s", format, strings.Join(outputs, ", "))
}

// Print writes a result to stdout in the format that -o names. Value must
// marshal to a JSON object; "apiVersion" and "kind" are put before its fields.
// Tables are what people and spreadsheets see: -o table prints all of them,
// -o csv the first.
func (e *Env) Print(kind string, value any, tables ...Table) error {
	switch e.flags.output {
	case "json", "yaml":
		doc, err := document(kind, value)
		if err != nil {
			return err
		}
		if e.flags.output == "yaml" {
			if doc, err = yaml.JSONToYAML(doc); err != nil {
				return fmt.Errorf("writing %s as YAML: %w", kind, err)
			}
		}
		_, err = e.Stdout.Write(doc)
		return err
	case "csv":
		if len(tables) == 0 {
			return Usagef("%s has no tabular form: use -o json", kind)
		}
		return writeCSV(e.Stdout, tables[0])
	}
	for i, t := range tables {
		if i > 0 {
			fmt.Fprintln(e.Stdout)
		}
		if err := writeTable(e.Stdout, t, e.StdoutTTY && !e.plain()); err != nil {
			return err
		}
	}
	return nil
}

// document returns value as indented JSON with apiVersion and kind first.
func document(kind string, value any) ([]byte, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, fmt.Errorf("writing %s as JSON: %w", kind, err)
	}
	fields := bytes.TrimSpace(body.Bytes())
	if len(fields) < 2 || fields[0] != '{' {
		panic("cli: result " + kind + " is not a JSON object")
	}
	head := fmt.Sprintf(`{"apiVersion":%q,"kind":%q`, APIVersion, kind)
	if !bytes.Equal(fields, []byte("{}")) {
		head += ","
	}
	var doc bytes.Buffer
	if err := json.Indent(&doc, append([]byte(head), fields[1:]...), "", "  "); err != nil {
		return nil, fmt.Errorf("writing %s as JSON: %w", kind, err)
	}
	doc.WriteByte('\n')
	return doc.Bytes(), nil
}
