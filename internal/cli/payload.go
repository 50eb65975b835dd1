package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// payload returns the bytes that -d names: the text itself, @file, or @- for
// standard input. Without one it is the empty JSON object. A payload must be
// JSON, so that a slip is found before anything runs.
func (e *Env) payload(arg string) ([]byte, error) {
	var (
		data []byte
		err  error
	)
	switch {
	case arg == "":
		return []byte("{}"), nil
	case arg == "@-":
		data, err = io.ReadAll(e.Stdin)
	case strings.HasPrefix(arg, "@"):
		data, err = os.ReadFile(e.path(arg[1:]))
	default:
		data = []byte(arg)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the input: %w", err)
	}
	if !json.Valid(data) {
		return nil, Usagef("the input %s is not JSON: write -d '{\"key\": \"value\"}', -d @file.json or -d @-", abbreviate(arg))
	}
	return data, nil
}

// path resolves a path that the user gave.
func (e *Env) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(e.Dir, p)
}

func abbreviate(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:39]) + "…"
	}
	return s
}
