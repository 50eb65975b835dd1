package manifest

import (
	"fmt"
	"strings"
)

// Error is one problem in a manifest.
type Error struct {
	File   string `json:"file"`
	Line   int    `json:"line"`           // from 1; 0 where the whole file is meant
	Column int    `json:"column"`         // from 1, in characters
	Key    string `json:"key,omitempty"`  // where in the document: do[0].resize.with
	Detail string `json:"detail"`         // what is wrong
	Hint   string `json:"hint,omitempty"` // what to write instead
}

// Error formats the problem on one line: "file:line:column: key: detail; hint".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	b.WriteString(": ")
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	b.WriteString(e.Detail)
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// Errors is every problem that was found, in order of file and position.
type Errors []*Error

// Error lists the problems, one on a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap makes errors.As find each *Error.
func (e Errors) Unwrap() []error {
	list := make([]error, len(e))
	for i, p := range e {
		list[i] = p
	}
	return list
}
