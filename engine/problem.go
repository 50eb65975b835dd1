package engine

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/run"
)

// kinds maps the ways an invocation ends without an answer to problems. Type
// and status together tell them apart in catch.errors.with.
var kinds = map[function.Outcome]run.Problem{
	function.OutcomeTimeout:  {Type: run.TypeTimeout, Status: 408, Title: "Function timed out"},
	function.OutcomeOOM:      {Type: run.TypeRuntime, Status: 507, Title: "Out of memory"},
	function.OutcomeCrash:    {Type: run.TypeRuntime, Status: 502, Title: "Function crashed"},
	function.OutcomeStart:    {Type: run.TypeRuntime, Status: 500, Title: "Function did not start"},
	function.OutcomeRejected: {Type: run.TypeCommunication, Status: 503, Title: "No capacity"},
	function.OutcomeError:    {Type: run.TypeCommunication, Status: 502, Title: "Function broke the protocol"},
	function.OutcomeCanceled: {Type: run.TypeRuntime, Status: 499, Title: "Cancelled"},
}

// invokeProblem says why a function gave no answer. Errors of the log and of
// the engine itself stay what they are.
func invokeProblem(t *task, fn string, err error) error {
	var failed *platform.InvokeError
	if !errors.As(err, &failed) {
		if errors.Is(err, errInterrupted) || errors.Is(err, errSuspended) {
			return err
		}
		return &run.Problem{
			Type: run.TypeCommunication, Status: 500, Title: "Invocation failed",
			Detail: fn + ": " + err.Error(), Instance: t.path,
		}
	}
	p, ok := kinds[failed.Outcome]
	if !ok {
		p = run.Problem{Type: run.TypeRuntime, Status: 500, Title: "Invocation failed"}
	}
	p.Detail, p.Instance = fn+": "+failed.Detail, t.path
	return &p
}

// answerProblem is a function's answer of 400 or more: a communication problem
// with that status. What the function said of it is quoted.
func answerProblem(path, fn string, resp *platform.Response) *run.Problem {
	return &run.Problem{
		Type: run.TypeCommunication, Status: resp.Status,
		Title:    fmt.Sprintf("Function answered %d %s", resp.Status, http.StatusText(resp.Status)),
		Detail:   quote(fn, resp.Body),
		Instance: path,
	}
}

// quoted is how much of a body a problem repeats.
const quoted = 512

func quote(who string, body []byte) string {
	raw := string(body[:min(len(body), quoted)])
	s := strings.TrimSpace(strings.ToValidUTF8(raw, ""))
	switch {
	case len(raw)-len(strings.ToValidUTF8(raw, "")) >= utf8.UTFMax: // more than a rune that was cut
		return fmt.Sprintf("%s: %d bytes that are not text", who, len(body))
	case s == "":
		return who
	}
	return who + ": " + s
}

func tooLarge(t *task, what string, limit int64) *run.Problem {
	return &run.Problem{
		Type: run.TypeValidation, Status: http.StatusRequestEntityTooLarge, Title: "Body too large",
		Detail: fmt.Sprintf("%s is larger than %d bytes", what, limit), Instance: t.path,
	}
}

// asValue is the problem as expressions see it.
func asValue(p *run.Problem) map[string]any {
	m := map[string]any{"type": p.Type, "status": p.Status}
	for k, v := range map[string]string{"title": p.Title, "detail": p.Detail, "instance": p.Instance} {
		if v != "" {
			m[k] = v
		}
	}
	return m
}
