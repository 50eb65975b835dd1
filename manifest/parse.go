package manifest

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// parse reads the documents of one file. With an error it returns what could
// be read all the same, so that names are known.
func parse(name string, data []byte, fs files) (*Bundle, error) {
	r := &reader{file: name, files: fs}
	b := &Bundle{}
	for _, n := range r.documents(data) {
		if n != nil {
			one := &Bundle{}
			r.declaration(n, one)
			r.errs = append(r.errs, b.merge(one)...)
		}
	}
	if len(r.errs) > 0 {
		return b, r.errs.sorted()
	}
	return b, nil
}

// documents reads the nodes of a file.
func (r *reader) documents(data []byte) []*node {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	switch {
	case len(data) > maxBytes:
		r.fail(position{}, "", "split it", "the manifest is larger than %d MiB", maxBytes>>20)
		return nil
	case !utf8.Valid(data):
		r.fail(position{}, "", "save it as UTF-8", "the manifest is not UTF-8")
		return nil
	}
	docs, err := readText(r.file, data)
	if err != nil {
		p := &problem{detail: err.Error()}
		errors.As(err, &p)
		r.fail(p.at, "", p.hint, "%s", p.detail)
	}
	return docs
}

// readText reads JSON or YAML. A text that starts with a brace or bracket may be either;
// as JSON it is read faster and may hold tabs.
func readText(name string, data []byte) ([]*node, error) {
	suffix := strings.ToLower(filepath.Ext(name))
	if suffix != ".json" && !looksLikeJSON(data) {
		return readYAML(string(data))
	}
	docs, err := readJSON(data)
	if err == nil || suffix == ".json" {
		return docs, err
	}
	docs, yamlErr := readYAML(string(data))
	if yamlErr == nil || suffix == ".yaml" || suffix == ".yml" {
		return docs, yamlErr
	}
	return nil, err
}

// declaration reads one document into b.
func (r *reader) declaration(n *node, b *Bundle) {
	const hint = "write a workflow (document, do) or a function (apiVersion: serving.knative.dev/v1, kind: Service)"
	if !r.expect(n, "", kindObject, hint) {
		return
	}
	before := len(r.errs)
	switch {
	case n.get("document") != nil || n.get("do") != nil && n.get("apiVersion") == nil:
		w, calls := r.workflow(n)
		b.Workflows = append(b.Workflows, w)
		b.calls = append(b.calls, calls...)
		b.places = append(b.places, r.declared("workflow", w.Name, n))
	case n.get("kind") != nil && n.get("kind").text == "List":
		r.fail(n.at, "kind", "write its items as documents, with a line --- between them", "a List is not supported")
	case n.get("kind") != nil && n.get("kind").text == "Profile":
		r.fail(n.at, "kind", "give the file to aquatope experiment tune or aquatope simulate with --profile", "a Profile holds measurements, which cannot be deployed")
	case n.get("kind") != nil && n.get("kind").text == LockKind:
		b.locks = r.lock(n)
	case n.get("apiVersion") != nil || n.get("kind") != nil:
		f := r.service(n)
		if len(r.errs) == before {
			r.locate(&f)
		}
		b.Functions = append(b.Functions, f)
		b.places = append(b.places, r.declared("function", f.Name, n))
	case n.get("states") != nil:
		r.fail(n.at, "", "rewrite it for version 1.0 of the specification, with document and do", "workflows of version 0.x are not supported")
	default:
		r.fail(n.at, "", hint, "this is neither a workflow nor a function")
	}
}

// declared notes where something was declared.
func (r *reader) declared(what, name string, n *node) declaration {
	return declaration{what, name, Error{File: r.file, Line: n.at.line, Column: n.at.column}}
}
