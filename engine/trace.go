package engine

import (
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"strings"
)

// trace is the W3C trace context of a run.
type trace struct {
	id    string // 32 hex digits
	flags string // 2 hex digits
	state string // tracestate, passed on as it came
}

// traceOf continues the caller's trace or begins a new one. A malformed
// traceparent begins a new one, as the recommendation says.
func (e *Engine) traceOf(h http.Header) trace {
	parent := h["Traceparent"]
	if len(parent) == 1 {
		if id, flags, ok := parseTraceParent(parent[0]); ok {
			return trace{id: id, flags: flags, state: strings.Join(h["Tracestate"], ",")}
		}
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], e.random())
	binary.BigEndian.PutUint64(b[8:], e.random()|1) // all zeros would be invalid
	return trace{id: hex.EncodeToString(b[:]), flags: "01"}
}

// parseTraceParent reads version-traceid-parentid-flags. Versions after 00 may
// append fields.
func parseTraceParent(s string) (id, flags string, ok bool) {
	if len(s) < 55 || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return "", "", false
	}
	if s[:2] == "ff" || s[:2] == "00" && len(s) != 55 || len(s) > 55 && s[55] != '-' {
		return "", "", false
	}
	id, parent, flags := s[3:35], s[36:52], s[53:55]
	if !isHex(s[:2]) || !isHex(id) || !isHex(parent) || !isHex(flags) ||
		strings.Count(id, "0") == len(id) || strings.Count(parent, "0") == len(parent) {
		return "", "", false
	}
	return id, flags, true
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// span returns a new span id.
func (e *Engine) span() string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], e.random()|1)
	return hex.EncodeToString(b[:])
}

// parent is the traceparent header of a span.
func (t trace) parent(span string) string {
	return "00-" + t.id + "-" + span + "-" + t.flags
}
