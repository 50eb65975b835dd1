package sandbox_test

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/aquatope/aquatope/platform/local/internal/sandbox"
)

func TestOutput(t *testing.T) {
	r, w := io.Pipe()
	var log strings.Builder
	o := sandbox.NewOutput(r, slog.New(slog.NewTextHandler(&log, nil)))
	for i := range 500 {
		fmt.Fprintf(w, "line %d\n\n", i)
	}
	fmt.Fprintf(w, "%s\nlast, without an end", strings.Repeat("long", 10_000))
	_ = w.Close()
	<-o.Done()
	tail := o.Tail()
	if len(tail) != 20 || tail[0] != "line 482" || tail[17] != "line 499" || tail[19] != "last, without an end" {
		t.Errorf("kept %d lines: %.80q", len(tail), tail)
	}
	if n := len(tail[18]); n > 2048 {
		t.Errorf("kept a line of %d bytes", n)
	}
	if n := strings.Count(log.String(), "function output"); n > 250 {
		t.Errorf("%d lines were logged at once", n)
	}
}
