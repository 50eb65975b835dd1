package cli_test

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/aquatope/aquatope/internal/cli"
)

// TestMain makes this test binary the program itself when it is run under the
// name aquatope, so that scripts start real processes.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"aquatope": func() { os.Exit(cli.Main(cli.SystemEnv(), os.Args[1:])) },
	})
}

func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script"})
}
