package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// looksLikeJSON reports whether data starts as a JSON object or list does.
func looksLikeJSON(data []byte) bool {
	t := bytes.TrimLeft(data, " \t\r\n")
	return len(t) > 0 && (t[0] == '{' || t[0] == '[')
}

// readJSON reads the JSON values in data, one after the other.
func readJSON(data []byte) ([]*node, error) {
	r := &jsonReader{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	r.dec.UseNumber()
	var docs []*node
	for {
		r.count = 0
		n, err := r.value(0)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return nil, err
		}
		docs = append(docs, n)
	}
}

type jsonReader struct {
	data  []byte
	dec   *json.Decoder
	count int
	// seen is where the position of offset was worked out last.
	offset int
	pos    position
}

// position returns the line and column of a byte offset, which must not fall.
func (r *jsonReader) position(offset int) position {
	if r.pos.line == 0 {
		r.pos = position{1, 1}
	}
	for r.offset < offset && r.offset < len(r.data) {
		c, size := utf8.DecodeRune(r.data[r.offset:])
		r.offset += size
		if c == '\n' {
			r.pos = position{r.pos.line + 1, 1}
		} else {
			r.pos.column++
		}
	}
	return r.pos
}

// next returns the position of the next token, and the token.
func (r *jsonReader) next() (position, json.Token, error) {
	offset := int(r.dec.InputOffset())
	for offset < len(r.data) && bytes.IndexByte([]byte(" \t\r\n,:"), r.data[offset]) >= 0 {
		offset++
	}
	at := r.position(offset)
	t, err := r.dec.Token()
	if err == nil {
		return at, t, nil
	}
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		return at, nil, &problem{at: r.position(max(offset, int(syntax.Offset)-1)), detail: "not valid JSON: " + syntax.Error()}
	}
	return at, nil, err
}

// value reads one value. It returns io.EOF only where no value starts.
func (r *jsonReader) value(depth int) (*node, error) {
	at, t, err := r.next()
	if err != nil {
		if errors.Is(err, io.EOF) && depth == 0 {
			return nil, io.EOF
		}
		return nil, r.cut(at, err)
	}
	return r.rest(at, t, depth)
}

// cut turns the end of the data into a problem.
func (r *jsonReader) cut(at position, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &problem{at: at, detail: "the JSON ends before it is complete"}
	}
	if p := (*problem)(nil); errors.As(err, &p) {
		return err
	}
	return &problem{at: at, detail: "not valid JSON: " + err.Error()}
}

// rest reads what follows the first token of a value.
func (r *jsonReader) rest(at position, t json.Token, depth int) (*node, error) {
	if r.count++; r.count > maxNodes {
		return nil, &problem{at: at, detail: fmt.Sprintf("the document has more than %d values", maxNodes), hint: "split it"}
	}
	if depth > maxDepth {
		return nil, &problem{at: at, detail: fmt.Sprintf("nested more than %d deep", maxDepth)}
	}
	switch t := t.(type) {
	case nil:
		return &node{kind: kindNull, at: at}, nil
	case bool:
		return &node{kind: kindBool, at: at, bool: t}, nil
	case string:
		return &node{kind: kindString, at: at, text: t}, nil
	case json.Number:
		v, wrong := parseNumber(t.String())
		if wrong != "" {
			return nil, &problem{at: at, detail: wrong, hint: "write it as a string if it is text"}
		}
		return &node{kind: kindNumber, at: at, number: v}, nil
	case json.Delim:
		if t == '[' {
			return r.array(at, depth)
		}
		if t == '{' {
			return r.object(at, depth)
		}
	}
	return nil, &problem{at: at, detail: fmt.Sprintf("not valid JSON: %v is out of place", t)}
}

func (r *jsonReader) array(at position, depth int) (*node, error) {
	n := &node{kind: kindList, at: at}
	for {
		at, t, err := r.next()
		if err != nil {
			return nil, r.cut(at, err)
		}
		if t == json.Delim(']') {
			return n, nil
		}
		v, err := r.rest(at, t, depth+1)
		if err != nil {
			return nil, err
		}
		n.list = append(n.list, v)
	}
}

func (r *jsonReader) object(at position, depth int) (*node, error) {
	n := &node{kind: kindObject, at: at}
	seen := map[string]position{}
	for {
		at, t, err := r.next()
		if err != nil {
			return nil, r.cut(at, err)
		}
		if t == json.Delim('}') {
			return n, nil
		}
		key, ok := t.(string)
		if !ok {
			return nil, &problem{at: at, detail: fmt.Sprintf("not valid JSON: %v where a key must be", t)}
		}
		if first, ok := seen[key]; ok {
			return nil, duplicate(key, at, first)
		}
		seen[key] = at
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.fields = append(n.fields, field{key, at, v})
	}
}

func duplicate(key string, at, first position) *problem {
	return &problem{
		at: at, detail: fmt.Sprintf("key %q is already set at %d:%d", key, first.line, first.column), hint: "keep one of the two",
	}
}
