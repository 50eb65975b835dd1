package manifest

import "fmt"

// Limits of one manifest file. They are far above what people write and keep a
// hostile file from exhausting time or memory.
const (
	maxBytes = 64 << 20 // of one file; JSON that Marshal wrote holds payloads
	maxYAML  = 1 << 20  // of one file in YAML, which is slow to read
	maxDepth = 64       // of nested lists and objects
	maxKeys  = 10_000   // of YAML blocks at one indentation; the parser's time grows by the square
	maxNodes = 200_000  // values of one document, aliases expanded
)

// kind is the type of a JSON value.
type kind int

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindList
	kindObject
)

// String names the kind for error messages, with an article.
func (k kind) String() string {
	switch k {
	case kindNull:
		return "nothing (null)"
	case kindBool:
		return "a boolean"
	case kindNumber:
		return "a number"
	case kindString:
		return "a string"
	case kindList:
		return "a list"
	case kindObject:
		return "an object"
	}
	panic(fmt.Sprintf("manifest: unknown kind %d", int(k)))
}

// position is a place in a file; lines and columns count from 1.
type position struct{ line, column int }

// node is a JSON value with the place it was read from. Both syntaxes become
// nodes, and everything after works on them.
type node struct {
	kind   kind
	at     position
	bool   bool
	number any // int or float64
	text   string
	list   []*node
	fields []field
}

// field is one entry of an object. Keys of an object are unique.
type field struct {
	key   string
	at    position
	value *node
}

// get returns the value under key, or nil.
func (n *node) get(key string) *node {
	for _, f := range n.fields {
		if f.key == key {
			return f.value
		}
	}
	return nil
}

// plain returns the value as encoding/json would decode it, except that whole
// numbers are ints.
func (n *node) plain() any {
	switch n.kind {
	case kindBool:
		return n.bool
	case kindNumber:
		return n.number
	case kindString:
		return n.text
	case kindList:
		list := make([]any, len(n.list))
		for i, v := range n.list {
			list[i] = v.plain()
		}
		return list
	case kindObject:
		object := make(map[string]any, len(n.fields))
		for _, f := range n.fields {
			object[f.key] = f.value.plain()
		}
		return object
	}
	return nil
}

// problem is an error of reading text into nodes.
type problem struct {
	at           position
	detail, hint string
}

func (p *problem) Error() string { return p.detail }
