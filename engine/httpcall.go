package engine

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/workflow"
)

// httpCall is a stage that calls an HTTP endpoint.
type httpCall struct {
	method   string
	endpoint segments
	headers  []field
	query    []field
	body     *template
	output   string
	redirect bool
}

// field is a header or a query parameter.
type field struct {
	name  string
	value segments
}

func compileHTTP(c *workflow.HTTPCall, names env) (body, error) {
	h := &httpCall{method: strings.ToUpper(c.Method), output: c.Output, redirect: c.Redirect}
	fail := func(what string, err error) (body, error) { return nil, fmt.Errorf("http: %s: %w", what, err) }
	var err error
	if h.endpoint, err = compileText(c.Endpoint, names); err != nil {
		return fail("endpoint", err)
	}
	if h.headers, err = compileFields(c.Headers, names); err != nil {
		return fail("headers", err)
	}
	if h.query, err = compileFields(c.Query, names); err != nil {
		return fail("query", err)
	}
	if c.Body != nil {
		if h.body, err = compileTemplate(c.Body, names); err != nil {
			return fail("body", err)
		}
	}
	return h, nil
}

func compileFields(m map[string]string, names env) ([]field, error) {
	fs := make([]field, 0, len(m))
	for k, v := range m {
		s, err := compileText(v, names)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		fs = append(fs, field{k, s})
	}
	sort.Slice(fs, func(i, j int) bool { return fs[i].name < fs[j].name })
	return fs, nil
}

func (h *httpCall) run(x *execution, f frame, t *task, in *data) (*data, flow, error) {
	out, err := x.stage(f, t, func(ctx context.Context, st *run.Stage) (*data, error) {
		f.ctx = ctx
		req, err := h.request(x, f, t, in, st)
		if err != nil {
			return nil, err
		}
		st.Endpoint = req.URL.Redacted()
		return h.exchange(x, t, req, st)
	})
	return out, flowNext, err
}

func (h *httpCall) request(x *execution, f frame, t *task, in *data, st *run.Stage) (*http.Request, error) {
	uri, err := h.address(x, f, t, in)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, &run.Problem{
			Type: run.TypeConfiguration, Status: 400, Title: "Endpoint is not a URL", Instance: t.path,
			Detail: fmt.Sprintf("%q must begin with http:// or https:// and name a host", uri),
		}
	}
	q := u.Query()
	for _, p := range h.query {
		v, err := x.fillText(f, t, p.value, in)
		if err != nil {
			return nil, err
		}
		q.Set(p.name, v)
	}
	if len(h.query) > 0 {
		u.RawQuery = q.Encode()
	}
	var payload io.Reader = http.NoBody
	if h.body != nil {
		v, err := x.fill(f, t, h.body, in)
		if err != nil {
			return nil, err
		}
		b, _, err := value(v).bytes()
		if err != nil {
			return nil, badExpression(t, err)
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(f.ctx, h.method, u.String(), payload)
	if err != nil {
		return nil, &run.Problem{Type: run.TypeConfiguration, Status: 400, Title: "Not an HTTP request", Detail: err.Error(), Instance: t.path}
	}
	req.Header = x.header(st, t, f.at)
	if h.body != nil {
		req.Header.Set("Content-Type", jsonType)
	}
	for _, p := range h.headers {
		v, err := x.fillText(f, t, p.value, in)
		if err != nil {
			return nil, err
		}
		req.Header.Set(p.name, v)
	}
	return req, nil
}

// address is the endpoint with {name} and ${ } filled in. What an expression
// gives is not a template again.
func (h *httpCall) address(x *execution, f frame, t *task, in *data) (string, error) {
	var b strings.Builder
	for i, g := range h.endpoint {
		var (
			s   string
			err error
		)
		if g.expr == nil {
			if s, err = expand(g.text, in); err != nil {
				err = badExpression(t, err)
			}
		} else {
			s, err = x.fillText(f, t, h.endpoint[i:i+1], in)
		}
		if err != nil {
			return "", err
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

// exchange sends the request and turns the response into the task's output.
func (h *httpCall) exchange(x *execution, t *task, req *http.Request, st *run.Stage) (*data, error) {
	client := x.engine.stay
	if h.redirect {
		client = x.engine.follow
	}
	unreachable := func(err error) error {
		return &run.Problem{
			Type: run.TypeCommunication, Status: http.StatusServiceUnavailable, Title: "Endpoint not reachable",
			Detail: err.Error(), Instance: t.path,
		}
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, unreachable(err)
	}
	defer resp.Body.Close()
	st.Status = resp.StatusCode
	body, err := io.ReadAll(io.LimitReader(resp.Body, x.engine.maxBody+1))
	if err != nil {
		return nil, unreachable(err)
	}
	if int64(len(body)) > x.engine.maxBody {
		return nil, tooLarge(t, "the answer of "+st.Endpoint, x.engine.maxBody)
	}
	st.Execution, st.Outcome = time.Since(st.Start), function.OutcomeOK
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		st.Outcome = function.OutcomeError
		p := answerProblem(t.path, st.Endpoint, &platform.Response{Status: resp.StatusCode, Body: body})
		p.Title = strings.Replace(p.Title, "Function", "Endpoint", 1)
		return nil, p
	}
	content := received(body, resp.Header.Get("Content-Type"))
	switch h.output {
	case "raw":
		return value(base64.StdEncoding.EncodeToString(body)), nil
	case "response":
		v, err := content.json()
		if err != nil {
			return nil, badExpression(t, fmt.Errorf("the answer of %s is %w", st.Endpoint, err))
		}
		return value(map[string]any{
			"request":    map[string]any{"method": req.Method, "uri": req.URL.String(), "headers": flat(req.Header)},
			"statusCode": resp.StatusCode, "headers": flat(resp.Header), "content": v,
		}), nil
	}
	return content, nil
}

func flat(h http.Header) map[string]any {
	m := make(map[string]any, len(h))
	for k, v := range h {
		m[k] = strings.Join(v, ", ")
	}
	return m
}

// expand replaces {name} by the field of the input with that name, as simple
// URI templates do.
func expand(uri string, in *data) (string, error) {
	if !strings.Contains(uri, "{") {
		return uri, nil
	}
	v, err := in.json()
	if err != nil {
		return "", fmt.Errorf("the task's input is %w", err)
	}
	m, _ := v.(map[string]any)
	var b strings.Builder
	for {
		i := strings.IndexByte(uri, '{')
		j := strings.IndexByte(uri, '}')
		if i < 0 || j < i {
			b.WriteString(uri)
			return b.String(), nil
		}
		name := uri[i+1 : j]
		field, ok := m[name]
		if !ok {
			return "", fmt.Errorf("the input has no field %q for the endpoint", name)
		}
		s, err := text(field)
		if err != nil {
			return "", err
		}
		b.WriteString(uri[:i] + url.PathEscape(s))
		uri = uri[j+1:]
	}
}
