package manifest

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// marker matches the lines that separate YAML documents. YAML forbids such a
// line inside any value, so that splitting by it is exact.
var marker = regexp.MustCompile(`^(---|\.\.\.)([ \t]|$)`)

// readYAML reads the documents in text; nil stands for an empty one.
func readYAML(text string) ([]*node, error) {
	if len(text) > maxYAML {
		return nil, &problem{
			detail: fmt.Sprintf("the YAML is larger than %d KiB", maxYAML>>10), hint: "split it, and put large payloads into files of their own",
		}
	}
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	var docs []*node
	lines := strings.SplitAfter(text, "\n")
	for start := 0; start < len(lines); {
		end := start + 1
		for end < len(lines) && !marker.MatchString(strings.TrimSuffix(lines[end], "\n")) {
			end++
		}
		part := strings.Join(lines[start:end], "")
		if marker.MatchString(strings.TrimSuffix(lines[start], "\n")) {
			part = "   " + part[3:] // keeps the columns of what follows the marker
		}
		n, err := readDocument(part, start)
		if err != nil {
			return nil, err
		}
		docs = append(docs, n)
		start = end
	}
	return docs, nil
}

// readDocument reads one document that starts after the given number of lines.
// The document package panics on some malformed input; that is a problem of
// the input as well.
func readDocument(text string, lines int) (n *node, err error) {
	r := &yamlReader{lines: lines, anchors: map[string]ast.Node{}, open: map[string]bool{}}
	defer func() {
		if recover() != nil {
			n, err = nil, &problem{at: position{lines + 1, 1}, detail: "this YAML cannot be read", hint: "write it more plainly"}
		}
	}()
	tokens := lexer.Tokenize(text)
	if err := r.check(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, r.syntax(err, text)
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil, nil
	}
	if len(file.Docs) > 1 {
		return nil, &problem{at: position{lines + 1, 1}, detail: "several documents run into each other", hint: "put a line --- between them"}
	}
	return r.value(file.Docs[0].Body, 0)
}

type yamlReader struct {
	lines   int // before the document
	count   int
	anchors map[string]ast.Node
	open    map[string]bool // anchors that are being expanded
}

func (r *yamlReader) at(t *token.Token) position {
	if t == nil || t.Position == nil {
		return position{r.lines + 1, 1}
	}
	return position{t.Position.Line + r.lines, t.Position.Column}
}

// syntaxError is how the YAML package reports a place.
type syntaxError interface {
	GetToken() *token.Token
	GetMessage() string
}

func (r *yamlReader) syntax(err error, text string) error {
	p := &problem{at: position{r.lines + 1, 1}, detail: "not valid YAML: " + err.Error()}
	if e, ok := err.(syntaxError); ok {
		p.at = r.at(e.GetToken())
		p.detail = "not valid YAML: " + e.GetMessage()
		lines := strings.Split(text, "\n")
		if i := p.at.line - r.lines - 1; i >= 0 && i < len(lines) {
			switch {
			case strings.Contains(lines[i], "\t"):
				p.hint = "indent with spaces, YAML forbids tabs"
			case strings.Contains(lines[i], "${"):
				p.hint = "quote an expression that stands inside { } or [ ] or holds a colon"
			}
		}
	}
	return p
}

// check refuses what the parser would not survive, or only in a very long
// time, before it parses.
func (r *yamlReader) check(tokens token.Tokens) error {
	depth := 0
	keys := map[int]int{} // by indentation, outside of brackets
	for _, t := range tokens {
		deep := false
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
			deep = depth > maxDepth
		case token.SequenceEndType, token.MappingEndType:
			depth = max(depth-1, 0)
		case token.SequenceEntryType:
			deep = depth == 0 && t.Position.Column > 8*maxDepth
		case token.MappingValueType, token.MappingKeyType:
			// A block nests no deeper than its keys are indented.
			deep = depth == 0 && t.Position.IndentNum > 8*maxDepth
			if depth == 0 {
				keys[t.Position.IndentNum]++
			}
			if keys[t.Position.IndentNum] > maxKeys {
				return &problem{at: r.at(t), detail: fmt.Sprintf("more than %d keys at one indentation", maxKeys), hint: "split the document, or write it in JSON"}
			}
		case token.DirectiveType:
			return &problem{at: r.at(t), detail: "YAML directives are not supported", hint: "delete the line"}
		}
		if deep {
			return &problem{at: r.at(t), detail: fmt.Sprintf("nested more than %d deep", maxDepth)}
		}
	}
	return nil
}

func (r *yamlReader) value(n ast.Node, depth int) (*node, error) {
	at := r.at(n.GetToken())
	if r.count++; r.count > maxNodes {
		return nil, &problem{at: at, detail: fmt.Sprintf("the document has more than %d values, aliases expanded", maxNodes), hint: "split it"}
	}
	if depth > maxDepth {
		return nil, &problem{at: at, detail: fmt.Sprintf("nested more than %d deep", maxDepth)}
	}
	switch n := n.(type) {
	case *ast.NullNode:
		return &node{kind: kindNull, at: at}, nil
	case *ast.BoolNode:
		return &node{kind: kindBool, at: at, bool: n.Value}, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return number(at, n.GetToken().Value)
	case *ast.StringNode:
		plain := n.Token.Type != token.SingleQuoteType && n.Token.Type != token.DoubleQuoteType
		if plain && numberLike.MatchString(n.Value) {
			return number(at, n.Value)
		}
		return text(at, n.Value)
	case *ast.LiteralNode:
		return text(at, n.Value.Value)
	case *ast.SequenceNode:
		return r.sequence(n, at, depth)
	case *ast.MappingNode:
		return r.mapping(n.Values, at, depth)
	case *ast.MappingValueNode:
		return r.mapping([]*ast.MappingValueNode{n}, at, depth)
	case *ast.AnchorNode:
		name := n.Name.GetToken().Value
		r.anchors[name] = n.Value
		r.open[name] = true
		defer delete(r.open, name)
		return r.value(n.Value, depth)
	case *ast.AliasNode:
		return r.alias(n, depth)
	case *ast.TagNode:
		return nil, &problem{at: at, detail: "YAML tags such as " + n.Start.Value + " are not supported", hint: "quote the value to make it text"}
	}
	return nil, &problem{at: at, detail: fmt.Sprintf("a YAML %s is not supported here", n.Type())}
}

func text(at position, s string) (*node, error) {
	if !utf8.ValidString(s) {
		return nil, &problem{at: at, detail: "the text is not valid Unicode"}
	}
	return &node{kind: kindString, at: at, text: s}, nil
}

func number(at position, text string) (*node, error) {
	v, wrong := parseNumber(text)
	if wrong != "" {
		return nil, &problem{at: at, detail: wrong, hint: "quote it if it is text"}
	}
	return &node{kind: kindNumber, at: at, number: v}, nil
}

func (r *yamlReader) sequence(s *ast.SequenceNode, at position, depth int) (*node, error) {
	n := &node{kind: kindList, at: at}
	for _, item := range s.Values {
		v, err := r.value(item, depth+1)
		if err != nil {
			return nil, err
		}
		n.list = append(n.list, v)
	}
	return n, nil
}

func (r *yamlReader) mapping(values []*ast.MappingValueNode, at position, depth int) (*node, error) {
	n := &node{kind: kindObject, at: at}
	seen := map[string]position{}
	for i, pair := range values {
		keyAt := r.at(pair.Key.GetToken())
		if i == 0 {
			n.at = keyAt
		}
		key, err := r.key(pair.Key, keyAt)
		if err != nil {
			return nil, err
		}
		if first, ok := seen[key]; ok {
			return nil, duplicate(key, keyAt, first)
		}
		seen[key] = keyAt
		v, err := r.value(pair.Value, depth+1)
		if err != nil {
			return nil, err
		}
		if v.kind == kindNull {
			v.at = keyAt
		}
		n.fields = append(n.fields, field{key, keyAt, v})
	}
	return n, nil
}

// key returns the text of a key, which must be a string or look like one.
func (r *yamlReader) key(k ast.MapKeyNode, at position) (string, error) {
	switch k := k.(type) {
	case *ast.StringNode:
		return k.Value, nil
	case *ast.MergeKeyNode:
		return "", &problem{at: at, detail: "merge keys (<<) are not supported", hint: "write the keys out"}
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return "", &problem{at: at, detail: "key " + k.GetToken().Value + " is not a string", hint: "quote it"}
	}
	return "", &problem{at: at, detail: "a key must be a plain string"}
}

func (r *yamlReader) alias(a *ast.AliasNode, depth int) (*node, error) {
	at := r.at(a.Start)
	name := a.Value.GetToken().Value
	target, ok := r.anchors[name]
	if !ok {
		return nil, &problem{at: at, detail: "alias *" + name + " refers to no anchor before it"}
	}
	if r.open[name] {
		return nil, &problem{at: at, detail: "alias *" + name + " contains itself"}
	}
	return r.value(target, depth)
}
