package engine

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

const jsonType = "application/json"

// data is a value on its way through a run: a body as received, or a JSON
// value, or both once the body was needed as a value or the value as a body.
// It is immutable and safe for concurrent use.
type data struct {
	body  []byte
	ctype string

	decode sync.Once
	encode sync.Once
	val    any
	err    error // of decoding or encoding
}

// null is the JSON value null.
var null = value(nil)

// received returns a body as it came from a caller or a function.
func received(body []byte, contentType string) *data {
	d := &data{body: body, ctype: contentType}
	d.encode.Do(func() {})
	return d
}

// value returns a JSON value: nil, bool, number, string, []any, map[string]any.
func value(v any) *data {
	d := &data{val: v, ctype: jsonType}
	d.decode.Do(func() {})
	return d
}

// json returns the value, decoding the body on first use. An empty body is
// null. A body whose media type says JSON, or nothing, must be JSON. Where the
// type says otherwise JSON is still tried first, because many servers label
// JSON as text; what is not JSON then becomes a string: text as it is, anything
// else in base64.
func (d *data) json() (any, error) {
	d.decode.Do(func() {
		if len(bytes.TrimSpace(d.body)) == 0 {
			return
		}
		v, err := decodeJSON(d.body)
		switch media := mediaType(d.ctype); {
		case err == nil:
			d.val = v
		case media == "" || media == jsonType || strings.HasSuffix(media, "+json"):
			d.err = fmt.Errorf("not valid JSON: %w", err)
		case strings.HasPrefix(media, "text/") && utf8.Valid(d.body):
			d.val = string(d.body)
		default:
			d.val = base64.StdEncoding.EncodeToString(d.body)
		}
	})
	return d.val, d.err
}

// bytes returns the value as a body with its media type, encoding on first use.
func (d *data) bytes() ([]byte, string, error) {
	d.encode.Do(func() {
		body, err := gojq.Marshal(d.val)
		if err != nil {
			d.err = fmt.Errorf("encoding a value as JSON: %w", err)
			return
		}
		d.body = body
	})
	return d.body, d.ctype, d.err
}

func mediaType(contentType string) string {
	if contentType == "" || contentType == jsonType {
		return contentType
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return "application/octet-stream"
	}
	return media
}

// decodeJSON decodes exactly one JSON value. Numbers stay as written, so that
// large integers survive.
func decodeJSON(b []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, errors.New("it ends too early")
		}
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("unexpected text after the value at byte %d", dec.InputOffset())
	}
	return v, nil
}
