package engine_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/workflow"
)

func TestHTTPCall(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/echo", http.StatusFound)
		case "/missing":
			http.Error(w, "no such thing", http.StatusNotFound)
		case "/big":
			_, _ = w.Write(make([]byte, 2000))
		case "/png":
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write([]byte{1, 2, 3})
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]any{
				"method": r.Method, "url": r.URL.String(), "body": string(b), "x": r.Header.Get("X"), "traced": r.Header.Get("Traceparent") != "",
			})
		}
	}))
	defer srv.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	e := engine.New(engine.Config{Invoker: &script{}, HTTP: transport, MaxBody: 1000})
	problem := func(typ string, status int) *run.Problem { return &run.Problem{Type: typ, Status: status} }
	for _, tc := range []struct {
		name    string
		call    workflow.HTTPCall
		output  workflow.Expr
		want    string
		problem *run.Problem
	}{
		{name: "get", call: workflow.HTTPCall{Method: "get", Endpoint: "/a?b=c"}, want: `{"method":"GET","url":"/a?b=c","body":"","x":"","traced":true}`},
		{
			name: "everything", call: workflow.HTTPCall{
				Method: "post", Endpoint: "/a/${ .id }/{name}", Headers: map[string]string{"X": "${ .id + 1 }"},
				Query: map[string]string{"q": "a ${ .id } b"}, Body: map[string]any{"v": "${ .name }"},
			},
			want: `{"method":"POST","url":"/a/7/a%2Fb?q=a+7+b","body":"{\"v\":\"a/b\"}","x":"8","traced":true}`,
		},
		{name: "braces in a value stay", call: workflow.HTTPCall{Method: "get", Endpoint: "/?${ .braces }"}, output: ".url", want: `"/?{id}"`},
		{name: "not found", call: workflow.HTTPCall{Method: "get", Endpoint: "/missing"}, problem: problem(run.TypeCommunication, 404)},
		{name: "a redirect is an error", call: workflow.HTTPCall{Method: "get", Endpoint: "/moved"}, problem: problem(run.TypeCommunication, 302)},
		{name: "unless wanted", call: workflow.HTTPCall{Method: "get", Endpoint: "/moved", Redirect: true}, output: ".url", want: `"/echo"`},
		{name: "too large", call: workflow.HTTPCall{Method: "get", Endpoint: "/big"}, problem: problem(run.TypeValidation, 413)},
		{name: "raw", call: workflow.HTTPCall{Method: "get", Endpoint: "/png", Output: "raw"}, want: `"AQID"`},
		{name: "content that is not text", call: workflow.HTTPCall{Method: "get", Endpoint: "/png"}, output: ".", want: "\x01\x02\x03"},
		{name: "content that is not text, in an expression", call: workflow.HTTPCall{Method: "get", Endpoint: "/png"}, output: "{v: .}", want: `{"v":"AQID"}`},
		{name: "response", call: workflow.HTTPCall{Method: "get", Endpoint: "/png", Output: "response"}, output: "[.statusCode, .headers[\"Content-Type\"], .content, .request.method]", want: `[200,"image/png","AQID","GET"]`},
		{name: "no such field", call: workflow.HTTPCall{Method: "get", Endpoint: "/{nope}"}, problem: problem(run.TypeExpression, 400)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.call.Endpoint = srv.URL + tc.call.Endpoint
			task := workflow.Task{Name: "h", Output: tc.output, Call: &workflow.Call{HTTP: &tc.call}}
			res, err := e.Run(t.Context(), compile(t, flowOf(task)), body(`{"id":7,"name":"a/b","braces":"{id}"}`))
			if err != nil {
				t.Fatal(err)
			}
			if tc.problem != nil {
				if res.Problem == nil || res.Problem.Type != tc.problem.Type || res.Problem.Status != tc.problem.Status || res.Problem.Instance != "/do/0/h" {
					t.Errorf("ended with %v, want %v", res.Problem, tc.problem)
				}
				return
			}
			if res.Problem != nil {
				t.Fatal(res.Problem)
			}
			if diff := cmp.Diff(parse(tc.want), parse(string(res.Body))); diff != "" {
				t.Error(diff)
			}
			if len(res.Stages) != 1 || !strings.HasPrefix(res.Stages[0].Endpoint, srv.URL) {
				t.Errorf("stages %+v", res.Stages)
			}
		})
	}
	for endpoint, want := range map[string]*run.Problem{
		"ftp://x/y": problem(run.TypeConfiguration, 400), "nonsense": problem(run.TypeConfiguration, 400),
		"http://127.0.0.1:1/": problem(run.TypeCommunication, 503),
	} {
		task := workflow.Task{Name: "h", Call: &workflow.Call{HTTP: &workflow.HTTPCall{Method: "get", Endpoint: endpoint}}}
		res, err := e.Run(t.Context(), compile(t, flowOf(task)), body(`{}`))
		if err != nil || res.Problem == nil || res.Problem.Type != want.Type || res.Problem.Status != want.Status {
			t.Errorf("%s: %v, %v", endpoint, res.Problem, err)
		}
	}
}
