package server

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/server/api"
)

// runIDHeader carries the id of the run in every answer of the gateway.
const runIDHeader = "Aquatope-Run-Id"

// The gateway's paths. They are matched by hand: this is the way of every
// synchronous request.
const (
	workflowsPath = "/workflows/"
	functionsPath = "/functions/"
)

// gateway answers synchronous invocations; ok is false for other paths.
func (s *Server) gateway(w http.ResponseWriter, r *http.Request) (ok bool) {
	if name, found := strings.CutPrefix(r.URL.Path, workflowsPath); found {
		if invocable(w, r) {
			s.runWorkflow(w, r, name)
		}
		return true
	}
	if name, found := strings.CutPrefix(r.URL.Path, functionsPath); found {
		if invocable(w, r) {
			s.callFunction(w, r, name)
		}
		return true
	}
	return false
}

func invocable(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodPost {
		return true
	}
	w.Header().Set("Allow", http.MethodPost)
	writeProblem(w, &api.Problem{
		Title: "Method not allowed", Status: http.StatusMethodNotAllowed,
		Detail: r.Method + " does not invoke anything", Hint: "send the input with POST",
	})
	return false
}

func (s *Server) runWorkflow(w http.ResponseWriter, r *http.Request, name string) {
	c := s.catalog.Load()
	wf, ok := c.workflows[name]
	if !ok {
		writeProblem(w, notFound("workflow", name, c.workflows))
		return
	}
	in, err := s.input(w, r)
	if err != nil {
		writeError(w, err)
		return
	}
	if asks(r, "respond-async") {
		a, err := s.engine.Start(r.Context(), wf.plan, in)
		if err != nil {
			writeError(w, err)
			return
		}
		if !a.Repeated {
			s.running.of(name).Add(1)
		}
		h := w.Header()
		h.Set("Location", runsPath+a.ID)
		h.Set("Preference-Applied", "respond-async")
		h.Set(runIDHeader, a.ID)
		w.WriteHeader(http.StatusAccepted)
		return
	}
	running := s.running.of(name)
	running.Add(1)
	begin := s.engine.Run
	if o, ok := s.online.Load(name); ok {
		begin = o.(*onlineTuning).run
	}
	res, err := begin(r.Context(), wf.plan, in)
	running.Add(-1)
	if err != nil {
		writeError(w, err)
		return
	}
	if res.Status != run.StatusCompleted {
		s.writeFailure(w, res)
		return
	}
	h := w.Header()
	h[runIDHeader] = []string{res.ID}
	writeAnswer(w, http.StatusOK, res.ContentType, res.Body)
}

func (s *Server) callFunction(w http.ResponseWriter, r *http.Request, name string) {
	c := s.catalog.Load()
	if _, ok := c.functions[name]; !ok {
		writeProblem(w, notFound("function", name, c.functions))
		return
	}
	body, err := readBody(w, r, s.config.MaxBody)
	if err != nil {
		writeError(w, err)
		return
	}
	// The function gets the caller's header, without what is about this hop.
	dropHopByHop(r.Header)
	res, err := s.engine.Invoke(r.Context(), name, engine.Input{Body: body, Header: r.Header})
	if err != nil {
		writeError(w, err)
		return
	}
	if res.StatusCode == 0 {
		s.writeFailure(w, res)
		return
	}
	h := w.Header()
	for k, v := range res.Header {
		h[k] = v
	}
	dropHopByHop(h)
	h[runIDHeader] = []string{res.ID}
	writeAnswer(w, res.StatusCode, res.ContentType, res.Body)
}

// input reads what a run of a workflow starts with. What says that it is JSON,
// or says nothing, has to be JSON.
func (s *Server) input(w http.ResponseWriter, r *http.Request) (engine.Input, error) {
	body, err := readBody(w, r, s.config.MaxBody)
	if err != nil {
		return engine.Input{}, err
	}
	return runInput(body, r.Header)
}

func runInput(body []byte, h http.Header) (engine.Input, error) {
	in := engine.Input{Body: body, ContentType: h.Get("Content-Type"), Header: h, IdempotencyKey: h.Get("Idempotency-Key")}
	if in.ContentType == "" {
		in.ContentType = "application/json"
	}
	if len(body) > 0 && isJSON(in.ContentType) && !json.Valid(body) {
		return in, &api.Problem{
			Title: "Invalid JSON", Status: http.StatusBadRequest,
			Detail: "the request's body is not JSON" + jsonPosition(body),
			Hint:   "correct it, or name another Content-Type to pass the body on as it is",
		}
	}
	return in, nil
}

func isJSON(contentType string) bool {
	t, _, _ := strings.Cut(contentType, ";")
	t = strings.TrimSpace(t)
	return t == "application/json" || strings.HasSuffix(t, "+json")
}

// jsonPosition says where a body stops being JSON.
func jsonPosition(body []byte) string {
	var v any
	err := json.Unmarshal(body, &v)
	if se, ok := err.(*json.SyntaxError); ok {
		return ": " + se.Error() + " at byte " + strconv.FormatInt(se.Offset, 10)
	}
	return ""
}

// writeFailure answers for a run that did not end well.
func (s *Server) writeFailure(w http.ResponseWriter, res *engine.Result) {
	p := res.Problem
	if p == nil {
		p = &run.Problem{Type: run.TypeRuntime, Title: "Run " + string(res.Status)}
	}
	if res.RetryAfter > 0 {
		w.Header().Set("Retry-After", retrySeconds(res.RetryAfter))
	}
	writeProblem(w, runProblem(p, res.ID))
}

func writeAnswer(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	if contentType != "" {
		h["Content-Type"] = []string{contentType}
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// hopByHop are the headers of RFC 9110, 7.6.1, which end at each hop, and the
// length, which is written anew.
var hopByHop = []string{
	"Connection", "Content-Length", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

func dropHopByHop(h http.Header) {
	for _, named := range h["Connection"] {
		for k := range strings.SplitSeq(named, ",") {
			h.Del(strings.TrimSpace(k))
		}
	}
	for _, k := range hopByHop {
		delete(h, k)
	}
}

// asks says whether a request has a preference of RFC 7240.
func asks(r *http.Request, preference string) bool {
	for _, v := range r.Header["Prefer"] {
		for p := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(p), preference) {
				return true
			}
		}
	}
	return false
}
