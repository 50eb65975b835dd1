package server_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aquatope/aquatope/server"
)

// docs/reference/api.md names every operation of the API, every metric, and no
// others.
func TestReference(t *testing.T) {
	w := newWorld(t, server.Config{})
	text, err := os.ReadFile("../docs/reference/api.md")
	if err != nil {
		t.Fatal(err)
	}
	var api struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}
	if err := json.Unmarshal([]byte(w.do("GET", "/openapi.json", "").body), &api); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(api.OpenAPI, "3.1") {
		t.Errorf("the API is described by OpenAPI %q", api.OpenAPI)
	}
	var offered []string
	for path, methods := range api.Paths {
		for method := range methods {
			offered = append(offered, strings.ToUpper(method)+" "+path)
		}
	}
	same(t, "operation", offered, regexp.MustCompile("`([A-Z]+ /api/v1/[^`?]*)`"), string(text))

	// Metrics with labels appear once something was counted.
	w.deploy(function("echo", "echo") + function("fails", "status, '500'") + `
---
document: {dsl: '1.0.3', namespace: default, name: greet, version: '1.0.0', metadata: {qos: {latency: 1ns, percentile: 95}}}
do:
  - only: {call: echo}
`)
	w.do("POST", "/workflows/greet", "{}")
	w.do("POST", "/functions/fails", "{}")
	metric := regexp.MustCompile(`(?m)^# TYPE (aquatope_\w+) `)
	var counted []string
	for _, m := range metric.FindAllStringSubmatch(w.do("GET", "/metrics", "").body, -1) {
		counted = append(counted, m[1])
	}
	same(t, "metric", counted, regexp.MustCompile("`(aquatope_\\w+)`"), string(text))
}

// same reports names that are there and not in the text, and the reverse.
func same(t *testing.T, what string, there []string, pattern *regexp.Regexp, text string) {
	t.Helper()
	if len(there) == 0 {
		t.Errorf("there is no %s", what)
	}
	named := map[string]bool{}
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		named[m[1]] = true
	}
	for _, x := range there {
		if !named[x] {
			t.Errorf("%s %s is not in the reference", what, x)
		}
		delete(named, x)
	}
	for x := range named {
		t.Errorf("the reference names %s %s, which is not there", what, x)
	}
}
