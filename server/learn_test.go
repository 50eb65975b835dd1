package server_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/forecast/hurdle"
	vocabulary "github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/server"
	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/store"
)

// remember writes a past into the store: a function that is called once more in
// every window, from none to nine times and again, which the general model has
// not seen.
func remember(t *testing.T, dir, fn string, windows int) {
	t.Helper()
	s, err := store.Open(filepath.Join(dir, "aquatope.db"), store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Truncate(time.Second)
	for w := windows; w > 0; w-- {
		for i := range 9 - w%10 {
			s.Observe(vocabulary.Observation{
				Time: now.Add(-time.Duration(w)*time.Second + time.Duration(100*i)*time.Millisecond), Function: fn,
				Revision: fn + "-1", Instance: "before", Execution: 10 * time.Millisecond, Outcome: vocabulary.OutcomeOK,
			})
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// The running server trains a model on its own history, takes it up and saves it
// with a checksum. A file that was damaged is refused, said, and made anew.
func TestRetrains(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	remember(t, dir, "echo", 1200)
	file := filepath.Join(dir, "models", "pool.model")
	var log lockedBuffer
	w := newWorld(t, server.Config{
		DataDir: dir, Pool: control.ModeRecommend, Window: time.Second, Learn: 200 * time.Millisecond, BackgroundCPU: 1,
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	w.deploy(function("echo", "echo"))
	trained := awaitModel(t, file, nil, &log)
	w.close()

	trained[len(trained)/2] ^= 1
	if err := os.WriteFile(file, trained, 0o600); err != nil {
		t.Fatal(err)
	}
	log.reset()
	w = newWorld(t, w.config)
	awaitModel(t, file, trained, &log)
	if !strings.Contains(log.String(), "the saved forecasting model is refused") || !strings.Contains(log.String(), "the saved model is damaged") {
		t.Errorf("the log does not tell of the damaged model:\n%s", log.String())
	}
	var status api.Status
	w.get("/api/v1/status", &status)
	if !strings.Contains(strings.Join(status.Warnings, "\n"), "the saved forecasting model is refused") {
		t.Errorf("nobody is warned: %q", status.Warnings)
	}
}

// awaitModel returns the content of the file once it is a sound model other than before.
func awaitModel(t *testing.T, file string, before []byte, log *lockedBuffer) []byte {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		data, err := os.ReadFile(file)
		if err != nil || bytes.Equal(data, before) {
			continue
		}
		if _, err := hurdle.Load(bytes.NewReader(data)); err != nil {
			t.Fatalf("what was saved cannot be read: %v", err)
		}
		if !strings.Contains(log.String(), "trained the forecasting model") {
			t.Errorf("the log does not tell of the training:\n%s", log.String())
		}
		return data
	}
	t.Fatalf("no model after %s:\n%s", patience, log.String())
	return nil
}
