package local_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/platform/local"
	"github.com/aquatope/aquatope/platform/platformtest"
)

// BenchmarkInvokeWarm compares an invocation of a warm no-op function through
// the platform with net/http's client talking to the same instance, in turn.
func BenchmarkInvokeWarm(b *testing.B) {
	p, fn := benchPlatform(b, nil)
	fn.Concurrency = 1000 // one instance, whatever the platform does about slots
	rev := deployed(b, p, fn, function.Resources{CPU: 2000, Memory: 256 * function.MiB})
	addr := addressOf(b, p, rev.Name)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()
	direct, through := make([]time.Duration, 0, b.N), make([]time.Duration, 0, b.N)
	for b.Loop() {
		begun := time.Now()
		resp, err := client.Post(addr, "application/json", bytes.NewReader([]byte("{}")))
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		middle := time.Now()
		if _, err := p.Invoke(b.Context(), platform.Request{Revision: rev.Name, Body: []byte("{}")}); err != nil {
			b.Fatal(err)
		}
		direct, through = append(direct, middle.Sub(begun)), append(through, time.Since(middle))
	}
	b.ReportMetric(0, "ns/op") // the sum of both says nothing
	report(b, "direct", direct)
	report(b, "platform", through)
}

// BenchmarkColdStart compares the start of an instance of a no-op function,
// until it accepts connections, with fork, exec and listen of the same
// program without any sandbox, in turn.
func BenchmarkColdStart(b *testing.B) {
	var mu sync.Mutex
	var create, ready []time.Duration
	p, fn := benchPlatform(b, func(s platform.Start) {
		mu.Lock()
		defer mu.Unlock()
		create, ready = append(create, s.Create), append(ready, s.Ready)
	})
	rev := deployed(b, p, fn, function.Resources{CPU: 1000, Memory: 128 * function.MiB})
	if err := p.Scale(b.Context(), rev.Name, platform.Scale{}); err != nil {
		b.Fatal(err)
	}
	bare, sandboxed := make([]time.Duration, 0, b.N), make([]time.Duration, 0, b.N)
	for b.Loop() {
		bare = append(bare, bareStart(b, fn.Command[0]))
		gone(b, p)
		resp, err := p.Invoke(b.Context(), platform.Request{Revision: rev.Name})
		if err != nil {
			b.Fatal(err)
		}
		sandboxed = append(sandboxed, resp.Observation.ColdStart)
	}
	b.ReportMetric(0, "ns/op")
	report(b, "bare", bare)
	report(b, "platform", sandboxed)
	report(b, "create", create)
	report(b, "ready", ready)
}

// bareStart starts the program as anyone would and waits until it listens.
func bareStart(b *testing.B, path string) time.Duration {
	b.Helper()
	const port = "19999"
	begun := time.Now()
	cmd := exec.Command(path)
	cmd.Env = []string{"PORT=" + port}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	dial(b, "127.0.0.1:"+port)
	took := time.Since(begun)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return took
}

func benchPlatform(b *testing.B, started func(platform.Start)) (*local.Platform, function.Function) {
	b.Helper()
	p, err := local.New(local.Config{DataDir: b.TempDir(), StartObserver: started})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = p.Close(b.Context()) })
	return p, function.Function{Name: "noop", Command: []string{platformtest.Build(b)}, Concurrency: 1}
}

func deployed(b *testing.B, p *local.Platform, fn function.Function, r function.Resources) function.Revision {
	b.Helper()
	rev := function.NewRevision(fn, r)
	if err := p.Deploy(b.Context(), rev); err != nil {
		b.Fatal(err)
	}
	return rev
}

// addressOf asks the only instance of a revision where it listens.
func addressOf(b *testing.B, p *local.Platform, revision string) string {
	b.Helper()
	resp, err := p.Invoke(b.Context(), platform.Request{Revision: revision, Body: []byte(`{"env":true}`)})
	if err != nil {
		b.Fatal(err)
	}
	var got struct {
		Env []string `json:"env"`
	}
	if err := json.Unmarshal(resp.Body, &got); err != nil {
		b.Fatal(err)
	}
	i := slices.IndexFunc(got.Env, func(s string) bool { return len(s) > 5 && s[:5] == "PORT=" })
	return "http://127.0.0.1:" + got.Env[i][5:] + "/"
}

func gone(b *testing.B, p *local.Platform) {
	b.Helper()
	for {
		s, err := p.Snapshot(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if s.Used == (function.Resources{}) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// report adds the quantiles of times to the benchmark's line.
func report(b *testing.B, name string, times []time.Duration) {
	b.Helper()
	slices.Sort(times)
	at := func(q float64) float64 { return float64(times[int(float64(len(times)-1)*q)].Microseconds()) }
	b.ReportMetric(at(0.5), name+"-p50-us")
	b.ReportMetric(at(0.99), name+"-p99-us")
}

// dial waits until something listens on addr.
func dial(b *testing.B, addr string) {
	b.Helper()
	for {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return
		}
		time.Sleep(200 * time.Microsecond)
	}
}
