package experiment_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/aquatope/aquatope/experiment"
)

// A path that is slower by a known amount must show as such. Sleeps bound
// latency from below, which is all that a busy machine allows; therefore this runs
// before the tests of the package that keep every core busy.
func TestOverheadFindsWhatAPathAdds(t *testing.T) {
	function := httptest.NewServer(experiment.OverheadFunction(1))
	defer function.Close()
	to, err := url.Parse(function.URL)
	if err != nil {
		t.Fatal(err)
	}
	slowed := func(d time.Duration) string {
		proxy := experiment.OverheadProxy(to)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(d)
			proxy.ServeHTTP(w, r)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	turns := 0
	results, err := experiment.Overhead(t.Context(),
		experiment.OverheadPaths{Direct: function.URL, Proxy: slowed(5 * time.Millisecond), Aquatope: slowed(20 * time.Millisecond), Workflow: slowed(100 * time.Millisecond)},
		experiment.OverheadOptions{Concurrency: []int{1, 4}, Rounds: 3, Block: 8, Seed: 1},
		func(done, total int) {
			if turns++; done != turns || total != 2*3*4 {
				t.Errorf("progress %d of %d at turn %d", done, total, turns)
			}
		})
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 2 || results[0].Concurrency != 1 || results[1].Concurrency != 4 {
		t.Fatalf("got %+v", results)
	}
	for _, r := range results {
		if r.Requests != 24 || r.Throughput <= 0 {
			t.Errorf("concurrency %d: %d requests, %v per second", r.Concurrency, r.Requests, r.Throughput)
		}
		if r.AquatopeP50Micros-r.DirectP50Micros < 20_000 {
			t.Errorf("concurrency %d: 20 ms more show as %v µs", r.Concurrency, r.AquatopeP50Micros-r.DirectP50Micros)
		}
		if r.WorkflowRatioP50 <= r.AddedRatioP50 {
			t.Errorf("concurrency %d: ratio %v for 20 ms more than %v", r.Concurrency, r.WorkflowRatioP50, r.AddedRatioP50)
		}
		if r.AddedRatioP50 <= 1 || r.AddedRatioP50CI[0] > r.AddedRatioP50CI[1] {
			t.Errorf("concurrency %d: ratio %v, interval %v", r.Concurrency, r.AddedRatioP50, r.AddedRatioP50CI)
		}
	}
}

func TestOverheadReportsAPathThatFails(t *testing.T) {
	t.Parallel()
	broken := httptest.NewServer(http.NotFoundHandler())
	defer broken.Close()
	_, err := experiment.Overhead(t.Context(), experiment.OverheadPaths{Direct: broken.URL, Proxy: broken.URL, Aquatope: broken.URL, Workflow: broken.URL},
		experiment.OverheadOptions{Concurrency: []int{1}, Rounds: 1, Block: 1}, func(int, int) {})
	if err == nil {
		t.Error("a path that answers 404 was measured")
	}
}
