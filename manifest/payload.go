package manifest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/aquatope/aquatope/function"
)

// maxPayload is the most bytes of one sample payload.
const maxPayload = 16 << 20

const payloadsHint = "write a list such as [{name: small, weight: 3, body: {size: 1}}, {file: large.json}]"

// payloads reads a list of sample payloads: objects with a body (any JSON value),
// a file, or a bodyBase64, and optionally a name and a weight.
func (r *reader) payloads(n *node, path string) []function.Payload {
	if !r.expect(n, path, kindList, payloadsHint) {
		return nil
	}
	var list []function.Payload
	for i, item := range n.list {
		if o := r.object(item, fmt.Sprintf("%s[%d]", path, i)); o != nil {
			list = append(list, r.payload(o))
		}
	}
	return list
}

// payloadsText reads the annotation of sample payloads: a list of them as YAML or
// JSON text. Positions are those of the annotation.
func (r *reader) payloadsText(a *annotation) []function.Payload {
	docs, err := readText("", []byte(a.value.text))
	if err != nil || len(docs) != 1 || docs[0] == nil || docs[0].kind != kindList {
		detail := "is not a list"
		if err != nil {
			detail = err.Error()
		}
		r.fail(a.at, a.path, payloadsHint, "%s", detail)
		return nil
	}
	inner := &reader{file: r.file, files: r.files}
	list := inner.payloads(docs[0], a.path)
	for _, e := range inner.errs {
		e.Line, e.Column = a.at.line, a.at.column
		r.errs = append(r.errs, e)
	}
	return list
}

func (r *reader) payload(o *object) function.Payload {
	p := function.Payload{Weight: 1}
	if v := o.take("name"); v != nil {
		p.Name = r.str(v, o.at("name"))
	}
	if v := o.take("weight"); v != nil && r.expect(v, o.at("weight"), kindNumber, "") {
		switch w := v.number.(type) {
		case int:
			p.Weight = float64(w)
		case float64:
			p.Weight = w
		}
		if p.Weight <= 0 || p.Weight > 1e9 {
			r.fail(v.at, o.at("weight"), "", "the weight %v is not above 0", v.number)
		}
	}
	given := 0
	if o.n.get("body") != nil {
		o.known = append(o.known, "body") // a null is a body as well
		given++
		p.Body = canonical(o.n.get("body"))
	}
	if v := o.take("bodyBase64"); v != nil {
		given++
		body, err := base64.StdEncoding.DecodeString(r.str(v, o.at("bodyBase64")))
		if err != nil {
			r.fail(v.at, o.at("bodyBase64"), "", "is not base64: %v", err)
		}
		p.Body = body
	}
	if v := o.take("file"); v != nil {
		given++
		if name := r.str(v, o.at("file")); name != "" {
			body, err := r.files.read(name)
			if err != nil {
				r.fail(v.at, o.at("file"), "name a file relative to the manifest", "%v", err)
			}
			p.Body = body
		}
	}
	if given != 1 {
		r.fail(o.n.at, o.path, "give a body or a file", "must have one body, not %d", given)
	}
	if v := o.n.get("body"); v != nil && v.kind == kindNull {
		return p // done would take the null for a missing value
	}
	o.done(nil)
	return p
}

// canonical writes a node as JSON with sorted keys and no blanks.
func canonical(n *node) []byte {
	text, err := json.Marshal(exact(n.plain()))
	if err != nil {
		panic("manifest: a value that is not JSON: " + err.Error())
	}
	return text
}
