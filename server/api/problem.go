package api

import "strings"

// Problem is an error as RFC 9457 describes it, the body of every answer with
// a status of 400 or more from the server itself.
type Problem struct {
	Type     string `json:"type,omitempty"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail,omitempty"`
	Instance string `json:"instance,omitempty"`

	Hint   string         `json:"hint,omitempty" doc:"What to do about it."`
	RunID  string         `json:"runId,omitempty" doc:"The run that failed, if one was started."`
	Errors []ProblemError `json:"errors,omitempty" doc:"Every single problem, where there are several."`
}

// TypeNotFound is the type of problems about names that the server does not
// know, as opposed to a 404 that a function answered.
const TypeNotFound = "tag:aquatope.dev,2026:not-found"

// ProblemError is one of several problems.
type ProblemError struct {
	Message  string `json:"message,omitempty"`
	Location string `json:"location,omitempty"` // file:line:column, or a path in the request
	Value    any    `json:"value,omitempty"`
}

// Error formats the problem for people: the detail, single problems on lines
// of their own, and what to do.
func (p *Problem) Error() string {
	var b strings.Builder
	switch {
	case p.Detail == "":
		b.WriteString(p.Title)
	case p.RunID != "": // the detail of a run's problem is what the function said
		b.WriteString(p.Title + ": " + p.Detail)
	default:
		b.WriteString(p.Detail)
	}
	for _, e := range p.Errors {
		b.WriteString("\n  ")
		if e.Location != "" {
			b.WriteString(e.Location + ": ")
		}
		b.WriteString(e.Message)
	}
	if p.Hint != "" {
		b.WriteString("\n  " + p.Hint)
	}
	return b.String()
}

// GetStatus makes the problem an error that huma writes with its own status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType names the media type of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }
