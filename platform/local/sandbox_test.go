package local_test

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/platform/local"
	"github.com/aquatope/aquatope/platform/local/internal/landlock"
	"github.com/aquatope/aquatope/platform/platformtest"
)

// call deploys fn on p under half a CPU and invokes it once.
func call(t *testing.T, p *local.Platform, fn function.Function, body string) *platform.Response {
	t.Helper()
	fn.StartTimeout = patience
	rev := function.NewRevision(fn, function.Resources{CPU: 500, Memory: 64 * function.MiB})
	if err := p.Deploy(t.Context(), rev); err != nil {
		t.Fatal(err)
	}
	resp, err := p.Invoke(t.Context(), platform.Request{Revision: rev.Name, Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func TestFunctionWritesOnlyItsOwnFolders(t *testing.T) {
	if landlock.Version() < 1 {
		t.Skip("the kernel has no Landlock")
	}
	dir, elsewhere := t.TempDir(), t.TempDir()
	p, _ := world(t, local.Config{})
	fn := function.Function{Name: "f", Command: []string{platformtest.Build(t)}, Dir: dir}
	for path, allowed := range map[string]bool{
		filepath.Join(dir, "mine"):       true,
		filepath.Join(elsewhere, "mine"): false,
		"/etc/aquatope-test":             false,
	} {
		resp := call(t, p, fn, `{"write":`+strconv.Quote(path)+`}`)
		if got := strings.Contains(string(resp.Body), "nil"); got != allowed {
			t.Errorf("writing %s: %s, want allowed: %t", path, resp.Body, allowed)
		}
		if _, err := os.Stat(path); (err == nil) != allowed {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestEnvironmentIsClean checks that what the server knows stays there.
func TestEnvironmentIsClean(t *testing.T) {
	t.Setenv("AQUATOPE_TEST_SECRET", "hunter2")
	p, _ := world(t, local.Config{})
	resp := call(t, p, function.Function{Name: "f", Command: []string{platformtest.Build(t)}}, `{"env":true}`)
	if strings.Contains(string(resp.Body), "hunter2") {
		t.Errorf("the function sees %s", resp.Body)
	}
}

func TestPortTakenByAnotherProgram(t *testing.T) {
	p, _ := world(t, local.Config{})
	if !p.Enforced().CPU {
		t.Skip("without control groups the owner of a port is not known")
	}
	bin := platformtest.Build(t)
	resp := call(t, p, function.Function{Name: "f", Command: []string{bin}}, `{"env":true}`)
	var got struct {
		Env []string `json:"env"`
	}
	if err := json.Unmarshal(resp.Body, &got); err != nil {
		t.Fatal(err)
	}
	last := 0
	for _, e := range got.Env {
		if port, ok := strings.CutPrefix(e, "PORT="); ok {
			last, _ = strconv.Atoi(port)
		}
	}
	// The next port is in use on the loopback address only, by a program that
	// accepts: ours. The platform must not take it for the instance.
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(last+1))
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	resp = call(t, p, function.Function{Name: "g", Command: []string{bin}}, `{"echo":true}`)
	if string(resp.Body) != `{"echo":true}` {
		t.Errorf("got %s", resp.Body)
	}
}
