package cli_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/store"
)

// soaking says that the long form of tests is wanted: make soak.
func soaking() bool { return os.Getenv("AQUATOPE_SOAK") != "" }

const crashManifests = `
document: {dsl: '1.0.3', namespace: default, name: steps, version: '1.0.0'}
do:
  - first: {call: record}
  - both:
      fork:
        branches:
          - left: {call: record}
          - right:
              do:
                - nap: {wait: {milliseconds: 150}}
                - call: {call: record}
  - each:
      for: {each: n, in: '[1, 2, 3]'}
      metadata: {aquatope.dev/parallel: 2}
      do:
        - step: {call: slow, input: {from: '${ {n: $n} }'}}
        - mark: {call: record}
  - last: {call: record}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: record}
spec:
  template:
    spec:
      containerConcurrency: 20
      containers:
        - command: [$FN, record]
          env: [{name: RECORD, value: "$RECORD"}]
          resources: {limits: {cpu: 400m, memory: 128Mi}}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: slow}
spec:
  template:
    spec:
      containerConcurrency: 20
      containers:
        - command: [$FN, slow]
          resources: {limits: {cpu: 400m, memory: 128Mi}}
`

// recorder is where instances of record tell which stages they are asked to do. At
// a gate it closes full, and lets nothing go on until the gate is opened.
type recorder struct {
	mu    sync.Mutex
	keys  []string
	limit int // of keys; 0 where there is no gate
	full  chan struct{}
	open  chan struct{}
}

func (r *recorder) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	key, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	r.keys = append(r.keys, string(key))
	n, limit, open := len(r.keys), r.limit, r.open
	if n == limit {
		close(r.full)
	}
	r.mu.Unlock()
	if limit > 0 && n >= limit {
		<-open
	}
}

// gate lets n more through.
func (r *recorder) gate(n int) (full <-chan struct{}, open func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.limit, r.full, r.open = len(r.keys)+n, make(chan struct{}), make(chan struct{})
	opened := r.open
	return r.full, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.limit = 0
		close(opened)
	}
}

func (r *recorder) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.keys)
}

// A server is killed again and again while asynchronous runs are under way.
// Every accepted run must end well, no stage whose completion was on the log
// when the server died may be asked for again, and no instance may outlive it.
func TestKilledServer(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills real servers")
	}
	t.Parallel()
	rounds := 2
	if soaking() {
		rounds = 20
	}
	rec := &recorder{}
	recording := httptest.NewServer(rec)
	defer recording.Close()
	bin, dir := programs(t), t.TempDir()

	var (
		accepted  []string
		completed = map[string]int{} // key of a stage -> calls seen when it was found completed
	)
	for round := range rounds {
		// Each round dies at another moment of its runs' lives, after another number
		// of their 70 calls. With 21 of 10 runs one stage at least had completed.
		full, open := rec.gate(21 + 17*round%49)
		s := startServer(t, bin, dir)
		if round == 0 {
			s.deploy(strings.ReplaceAll(crashManifests, "$RECORD", recording.URL))
		}
		for range 10 {
			r, err := s.client.StartRun(t.Context(), "steps", []byte(`{}`), "")
			if err != nil {
				t.Fatal(err)
			}
			accepted = append(accepted, r.ID)
		}
		select {
		case <-full:
		case <-time.After(patience):
			open()
			t.Fatalf("%d calls", rec.len())
		}
		s.kill()
		open()
		noOrphans(t, bin)
		note(t, s.data(), accepted, completed, rec.len())
	}

	s := startServer(t, bin, dir)
	for _, id := range accepted {
		eventually(t, func() string {
			r, err := s.client.Run(t.Context(), id)
			if err != nil {
				return err.Error()
			}
			if !r.Status.Ended() {
				return "run " + id + " is " + string(r.Status)
			}
			if r.Status != run.StatusCompleted {
				t.Fatalf("run %s %s: %v", id, r.Status, r.Problem)
			}
			return ""
		})
	}
	s.stop()
	noOrphans(t, bin)

	rec.mu.Lock()
	defer rec.mu.Unlock()
	for key, seen := range completed {
		if i := slices.Index(rec.keys[seen:], key); i >= 0 {
			t.Errorf("stage %s was done again after its completion was on the log", key)
		}
	}
	// The test must have been able to fail: stages did complete before kills.
	if len(completed) == 0 {
		t.Error("no stage had completed before any kill")
	}
	t.Logf("%d runs over %d kills, %d stages had completed before one, %d calls", len(accepted), rounds, len(completed), len(rec.keys))
}

// note reads the log of a dead server for stages that had completed.
func note(t *testing.T, data string, ids []string, completed map[string]int, calls int) {
	t.Helper()
	db, err := store.Open(data+"/aquatope.db", store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, id := range ids {
		events, err := db.Events(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			t.Fatalf("run %s was accepted and is not on the log", id)
		}
		for _, e := range events {
			if e.Kind != run.TaskCompleted || e.Stage == nil {
				continue
			}
			key := id + e.Task
			if e.At != "" {
				key += "#" + e.At
			}
			if _, known := completed[key]; !known {
				completed[key] = calls
			}
		}
	}
}
