package cli_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aquatope/aquatope/internal/cli"
)

// Who stops a session that the server goes on with is told so.
func TestInterruptWithoutAnswer(t *testing.T) {
	t.Parallel()
	bin := programs(t)
	for _, command := range []string{"tune", "profile"} {
		t.Run(command, func(t *testing.T) {
			watched := make(chan struct{})
			once := sync.OnceFunc(func() { close(watched) })
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodDelete {
					http.Error(w, "out of order", http.StatusInternalServerError)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(`{"phase": "running", "budget": 9}`))
				if r.Method == http.MethodGet {
					once()
				}
			}))
			defer server.Close()
			cmd, errs := exec.Command(filepath.Join(bin, "aquatope"), command, "both", "--server", server.URL), &bytes.Buffer{}
			cmd.Stderr = errs
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-watched
			if code := interrupt(t, cmd); code != cli.ExitInterrupted || !strings.Contains(errs.String(), "could not be told to stop") {
				t.Errorf("exit code %d: %s", code, errs)
			}
		})
	}
}
