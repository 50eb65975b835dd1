package run

import (
	"fmt"
	"strings"
)

// Problem is an error as RFC 9457 and the Open Workflow Specification describe
// it. Type says what kind, Status is an HTTP status, Instance is the path of
// the task that raised it.
type Problem struct {
	Type     string `json:"type"`
	Status   int    `json:"status"`
	Title    string `json:"title,omitempty"`
	Detail   string `json:"detail,omitempty"`
	Instance string `json:"instance,omitempty"`
}

// The standard types of the specification.
const (
	typePrefix         = "https://serverlessworkflow.io/spec/1.0.0/errors/"
	TypeConfiguration  = typePrefix + "configuration"
	TypeValidation     = typePrefix + "validation"
	TypeExpression     = typePrefix + "expression"
	TypeAuthentication = typePrefix + "authentication"
	TypeAuthorization  = typePrefix + "authorization"
	TypeTimeout        = typePrefix + "timeout"
	TypeCommunication  = typePrefix + "communication"
	TypeRuntime        = typePrefix + "runtime"
)

// Error returns the problem in one line.
func (p *Problem) Error() string {
	var b strings.Builder
	if p.Title != "" {
		b.WriteString(p.Title)
	} else {
		b.WriteString(strings.TrimPrefix(p.Type, typePrefix))
	}
	fmt.Fprintf(&b, " (%d)", p.Status)
	if p.Instance != "" {
		b.WriteString(" at " + p.Instance)
	}
	if p.Detail != "" {
		b.WriteString(": " + p.Detail)
	}
	return b.String()
}
