package engine

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

// template is a JSON value with expressions in it. A nil *template is absent.
type template struct {
	constant any
	expr     *expr
	self     bool // the identity expression
	list     []*template
	keys     []string // of an object, sorted
	fields   []*template
	kind     templateKind
}

type templateKind int

const (
	templateConstant templateKind = iota
	templateExpr
	templateList
	templateObject
)

func compileTemplate(v any, names env) (*template, error) {
	switch v := v.(type) {
	case string:
		src, ok := expression(v)
		if !ok && strings.HasPrefix(strings.TrimSpace(v), "${") && closing(strings.TrimSpace(v)) < 0 {
			return nil, fmt.Errorf("%q: a ${ without its }", v)
		}
		if !ok {
			return &template{constant: v}, nil
		}
		x, err := compile(src, names)
		return &template{kind: templateExpr, expr: x, self: x == nil}, err
	case []any:
		t := &template{kind: templateList}
		for _, e := range v {
			c, err := compileTemplate(e, names)
			if err != nil {
				return nil, err
			}
			t.list = append(t.list, c)
		}
		return t.fold(), nil
	case map[string]any:
		t := &template{kind: templateObject}
		for k := range v {
			t.keys = append(t.keys, k)
		}
		sort.Strings(t.keys)
		for _, k := range t.keys {
			c, err := compileTemplate(v[k], names)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", k, err)
			}
			t.fields = append(t.fields, c)
		}
		return t.fold(), nil
	}
	c, err := constant(v)
	return &template{constant: c}, err
}

// constant brings a number of any Go type into one that jq knows.
func constant(v any) (any, error) {
	switch v.(type) {
	case nil, bool, int, float64, json.Number:
		return v, nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("value %v is not JSON: %w", v, err)
	}
	return decodeJSON(b)
}

// fold turns lists and objects without expressions into constants.
func (t *template) fold() *template {
	for _, c := range append(t.list, t.fields...) {
		if c.kind != templateConstant {
			return t
		}
	}
	if t.kind == templateList {
		l := make([]any, len(t.list))
		for i, c := range t.list {
			l[i] = c.constant
		}
		return &template{constant: l}
	}
	m := make(map[string]any, len(t.keys))
	for i, k := range t.keys {
		m[k] = t.fields[i].constant
	}
	return &template{constant: m}
}

// constantOnly says whether the template needs no input.
func (t *template) constantOnly() bool { return t.kind == templateConstant }

// eval builds the value; run evaluates one expression.
func (t *template) eval(in any, run func(*expr) (any, error)) (any, error) {
	switch t.kind {
	case templateExpr:
		if t.self {
			return in, nil
		}
		return run(t.expr)
	case templateList:
		l := make([]any, len(t.list))
		for i, c := range t.list {
			v, err := c.eval(in, run)
			if err != nil {
				return nil, err
			}
			l[i] = v
		}
		return l, nil
	case templateObject:
		m := make(map[string]any, len(t.keys))
		for i, k := range t.keys {
			v, err := t.fields[i].eval(in, run)
			if err != nil {
				return nil, err
			}
			m[k] = v
		}
		return m, nil
	}
	return t.constant, nil
}

// expression returns the jq text of a string that is one ${ } as a whole.
func expression(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if !strings.HasPrefix(s, "${") || closing(s) != len(s)-1 {
		return "", false
	}
	return s[2 : len(s)-1], true
}

// closing returns the index of the bracket that closes the one at s[1], or -1.
// Brackets in jq's strings and comments do not count; interpolations in them do.
func closing(s string) int {
	open, end := s[1], byte('}')
	if open == '(' {
		end = ')'
	}
	depth := 0
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case open:
			depth++
		case end:
			if depth--; depth == 0 {
				return i
			}
		case '"':
			if i = closingQuote(s, i); i < 0 {
				return -1
			}
		case '#':
			if i = commentEnd(s, i); i < 0 {
				return -1
			}
		}
	}
	return -1
}

// commentEnd returns the index of the end of line that ends the comment which starts
// at s[i], or -1. As in jq that may be a carriage return, and a backslash before the
// end of a line takes the next one in.
func commentEnd(s string, i int) int {
	for ; i < len(s); i++ {
		switch s[i] {
		case '\n', '\r':
			return i
		case 0: // ends the expression
			return -1
		case '\\':
			switch rest := s[i+1:]; {
			case strings.HasPrefix(rest, "\r\n"):
				i += 2
			case strings.HasPrefix(rest, "\\"), strings.HasPrefix(rest, "\n"), strings.HasPrefix(rest, "\r"):
				i++
			}
		}
	}
	return -1
}

// closingQuote returns the index of the quote that ends the string literal
// which starts at s[i], or -1.
func closingQuote(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '"':
			return i
		case '\\':
			if i++; i < len(s) && s[i] == '(' {
				end := closing(s[i-1:])
				if end < 0 {
					return -1
				}
				i += end - 1
			}
		}
	}
	return -1
}

// segments is a text with expressions in it, such as an endpoint's URI.
type segments []segment

type segment struct {
	text string
	expr *template // nil for text
}

// compileText splits s into text and ${ } expressions.
func compileText(s string, names env) (segments, error) {
	var out segments
	for {
		i := strings.Index(s, "${")
		if i < 0 {
			return append(out, segment{text: s}), nil
		}
		end := closing(s[i:])
		if end < 0 {
			return nil, fmt.Errorf("%q: a ${ without its }", s)
		}
		t, err := compileTemplate(s[i:i+end+1], names)
		if err != nil {
			return nil, err
		}
		out = append(out, segment{text: s[:i]}, segment{expr: t})
		s = s[i+end+1:]
	}
}

// constantOnly says whether the text needs no input.
func (s segments) constantOnly() bool { return len(s) == 1 && s[0].expr == nil }

// eval joins the text; a result that is not a string is written as JSON.
func (s segments) eval(in any, run func(*expr) (any, error)) (string, error) {
	if s.constantOnly() {
		return s[0].text, nil
	}
	var b strings.Builder
	for _, g := range s {
		if g.expr == nil {
			b.WriteString(g.text)
			continue
		}
		v, err := g.expr.eval(in, run)
		if err != nil {
			return "", err
		}
		t, err := text(v)
		if err != nil {
			return "", err
		}
		b.WriteString(t)
	}
	return b.String(), nil
}
