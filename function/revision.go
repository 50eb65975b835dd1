package function

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// nameLimit is the longest DNS label (RFC 1123).
const nameLimit = 63

// NewRevision returns fn with resources r, under a name derived from both: the
// function's name and eight hexadecimal digits, such as resize-3f9a1c2d, always
// a DNS label. What does not change how an instance runs (the space to tune in
// and the sample payloads) is left out of the revision, so that editing it
// makes no new one.
func NewRevision(fn Function, r Resources) Revision {
	fn.Resources = r
	fn.Space = Space{}
	fn.Payloads = nil
	content, err := json.Marshal(fn) // maps are written in order of their keys
	if err != nil {
		panic("function: a Function that cannot be encoded: " + err.Error())
	}
	// Reading it back makes what is empty absent, so that revisions of one name
	// are equal, and shares nothing with the caller.
	fn = Function{}
	if err := json.Unmarshal(content, &fn); err != nil {
		panic("function: a Function that cannot be decoded: " + err.Error())
	}
	sum := sha256.Sum256(content)
	suffix := "-" + hex.EncodeToString(sum[:4])
	base := fn.Name
	if len(base) > nameLimit-len(suffix) {
		base = strings.TrimRight(base[:nameLimit-len(suffix)], "-")
	}
	return Revision{Name: base + suffix, Function: fn, Resources: r}
}

// CheckName reports what is wrong with the name of a function: it must be a DNS
// label of RFC 1123 that starts with a letter, since it becomes a host name.
func CheckName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("a name is missing")
	case len(name) > nameLimit:
		return fmt.Errorf("name %q has %d characters; at most %d are allowed", name, len(name), nameLimit)
	}
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z'
		inner := c >= '0' && c <= '9' || c == '-' && i < len(name)-1
		if !letter && (i == 0 || !inner) {
			return fmt.Errorf("name %q: use lower-case letters, digits and inner hyphens, starting with a letter", name)
		}
	}
	return nil
}
