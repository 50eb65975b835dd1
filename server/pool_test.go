package server_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/server"
	"github.com/aquatope/aquatope/server/api"
)

// A server with windows of a quarter of a second that is called in every window
// comes to keep an instance warm, and says so everywhere; or, where the machine is
// so busy that instances start too late, to leave it to the fixed keep-alive.
func TestPoolApplies(t *testing.T) {
	w := newWorld(t, server.Config{Pool: control.ModeApply, Window: 250 * time.Millisecond})
	w.deploy(function("echo", "echo") + function("unused", "echo"))
	pool := map[string]*api.Pool{}
	deadline := time.Now().Add(patience)
	trusted := func(p *api.Pool) bool {
		return p.Forecast.Trust == string(control.TrustFull) || p.Forecast.Trust == string(control.TrustWidened)
	}
	// decided reports whether forecasts are used and want an instance, or are found
	// wanting. While the function works nothing is wanted beside that instance.
	decided := func(p *api.Pool) bool {
		if p == nil || p.Forecast == nil || p.Forecast.Trust == string(control.TrustUnproven) {
			return false
		}
		return !trusted(p) || p.Target > 0 || p.Part > 0
	}
	for !decided(pool["echo"]) {
		if time.Now().After(deadline) {
			t.Fatalf("forecasts lead to nothing within %s: %+v", patience, pool["echo"])
		}
		if a := w.do("POST", "/functions/echo", "{}"); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		var s api.Status
		w.get("/api/v1/status", &s)
		for _, f := range s.Functions {
			pool[f.Name] = f.Pool
		}
		time.Sleep(50 * time.Millisecond)
	}
	p := pool["echo"]
	if trusted(p) != (p.Target > 0 || p.Part > 0) || trusted(p) != (p.Reason == "forecast") {
		t.Errorf("echo: %+v %+v", p, p.Forecast)
	}
	if p.Mode != "apply" || p.Service <= 0 || p.ColdStart <= 0 || p.Forecast.Arrivals[3] < 1 {
		t.Errorf("echo: %+v %+v", p, p.Forecast)
	}
	if u := pool["unused"]; u == nil || u.Target != 0 {
		t.Errorf("unused: %+v", u)
	}
	metrics := w.do("GET", "/metrics", "").body
	for _, m := range []string{
		`aquatope_forecast_instances{function="echo",quantile="0.95"} `, `aquatope_forecast_coverage_ratio{function="echo"} `,
		`aquatope_decisions_total{controller="pool",reason="` + p.Reason + `"} `, `aquatope_decisions_total{controller="pool",reason="unproven"} `,
		`aquatope_pool_target{function="echo",mode="apply"} `, `aquatope_pool_saved_coldstarts{function="echo"} `,
	} {
		if !strings.Contains(metrics, m) {
			t.Errorf("there is no metric %s", m)
		}
	}
	page := w.do("GET", "/", "").body
	if !strings.Contains(page, "<h2>Warm pool</h2>") || !strings.Contains(page, "<td>unused</td><td>apply</td>") {
		t.Errorf("the page does not show the pool:\n%s", page)
	}
	// What is trusted may change from one window to the next.
	w.until(func() bool {
		var s api.Status
		w.get("/api/v1/status", &s)
		return strings.Contains(w.do("GET", "/", "").body, s.Functions[0].Pool.Forecast.Trust)
	})
	var f api.FunctionForecast
	w.get("/api/v1/functions/echo/forecast?windows=20", &f)
	if len(f.Past) == 0 || len(f.Ahead) == 0 || f.Window != 250*time.Millisecond {
		t.Errorf("forecast: %+v", f)
	}
	came := 0
	for _, x := range f.Past {
		came += x.Came
		if x.Low > x.Median || x.Median > x.High {
			t.Errorf("quantiles out of order: %+v", x)
		}
	}
	if came == 0 {
		t.Error("nothing came in the past windows")
	}
	if a := w.do("GET", "/api/v1/functions/nobody/forecast", ""); a.status != 404 {
		t.Errorf("unknown function: %d", a.status)
	}
}

// A model file that was damaged is refused, said, and does no harm.
func TestPoolDamagedModel(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "models"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "models", "pool.model"), []byte("AQTPMODL and then rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	var log lockedBuffer
	w := newWorld(t, server.Config{
		DataDir: dir, Pool: control.ModeRecommend, Window: 100 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	w.deploy(function("echo", "echo"))
	deadline := time.Now().Add(patience)
	for {
		var s api.Status
		w.get("/api/v1/status", &s)
		if p := s.Functions[0].Pool; p != nil && p.Forecast != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no forecast after %s", patience)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if !strings.Contains(log.String(), "the saved forecasting model is refused") {
		t.Errorf("the log does not tell of the damaged model:\n%s", log.String())
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Reset()
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
