package cli_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/aquatope/aquatope/internal/cli"
	"github.com/aquatope/aquatope/internal/testfn"
	"github.com/aquatope/aquatope/platform/local"
)

// TestMain makes this test binary the program itself, or a function, when it
// is run under one of these names, so that tests start real processes.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"aquatope":     func() { os.Exit(cli.Main(cli.SystemEnv(), os.Args[1:])) },
		"testfunction": func() { os.Exit(testfn.Main(os.Args[1:])) },
	})
}

func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"expand":  expand,
			"ready":   ready,
			"show":    show,
			"cmpjson": cmpJSON,
			"exits":   exits,
		},
		Condition:     limits,
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
	})
}

// limits is the condition that functions can be given limits on this machine.
func limits(name string) (bool, error) {
	if name != "limits" {
		return false, fmt.Errorf("no condition is called %q", name)
	}
	enforced := 0
	for _, c := range local.Diagnose(context.Background()) {
		if c.OK && (c.Name == "cpu limits" || c.Name == "memory limits") {
			enforced++
		}
	}
	return enforced == 2, nil
}

// exits runs a command that must end with the given code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG...]")
	}
	code := "0"
	err := ts.Exec(args[1], args[2:]...)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		code = strconv.Itoa(exit.ExitCode())
	}
	if code != args[0] {
		ts.Fatalf("%v ended with %s (%v), want %s", args[1:], code, err, args[0])
	}
}

// expand replaces $FN in files by the path of the test function.
func expand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: expand FILE...")
	}
	fn := lookPath(ts, "testfunction")
	for _, name := range args {
		text := strings.ReplaceAll(ts.ReadFile(name), "$FN", fn)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

// ready waits for a --ready-file and points AQUATOPE_SERVER to what it says.
func ready(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ready FILE")
	}
	url, err := awaitFile(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Setenv("AQUATOPE_SERVER", url)
}

// show shows the run whose id is in a file, once it has ended.
func show(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: show FILE")
	}
	ts.Check(ts.Exec("aquatope", "runs", "show", "--watch", strings.TrimSpace(ts.ReadFile(args[0]))))
}

// cmpJSON compares a JSON document with a golden one, in which the names of
// revisions, which depend on the path of the test binary, are REVISION.
func cmpJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cmpjson FILE GOLDEN")
	}
	got := revisionName.ReplaceAllString(ts.ReadFile(args[0]), `"REVISION"`)
	if want := ts.ReadFile(args[1]); got != want {
		ts.Fatalf("got:\n%s\nwant:\n%s", got, want)
	}
}

var revisionName = regexp.MustCompile(`"[a-z-]+-[0-9a-f]{8}"`)

func lookPath(ts *testscript.TestScript, name string) string {
	for dir := range strings.SplitSeq(ts.Getenv("PATH"), string(os.PathListSeparator)) {
		if path, err := exec.LookPath(dir + "/" + name); err == nil {
			return path
		}
	}
	ts.Fatalf("%s is not in PATH", name)
	return ""
}

// awaitFile returns what is in a file as soon as it is there.
func awaitFile(path string) (string, error) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if text, err := os.ReadFile(path); err == nil {
			return strings.TrimSpace(string(text)), nil
		}
	}
	return "", fmt.Errorf("%s did not appear within %s", path, patience)
}
