package local_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform/local"
	"github.com/aquatope/aquatope/platform/platformtest"
)

// world makes a platform that is closed at the end of the test.
func world(t *testing.T, cfg local.Config) (*local.Platform, platformtest.World) {
	t.Helper()
	var mu sync.Mutex
	var seen []function.Observation
	if cfg.DataDir == "" {
		cfg.DataDir = t.TempDir()
	}
	cfg.Observer = func(o function.Observation) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, o)
	}
	if cfg.QueueDeadline == 0 {
		cfg.QueueDeadline = patience
	}
	if cfg.Capacity == (function.Resources{}) {
		cfg.Capacity = function.Resources{CPU: 4000, Memory: 2 * function.GiB}
	}
	p, err := local.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	closed := sync.OnceValue(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return p.Close(ctx)
	})
	t.Cleanup(func() {
		if err := closed(); err != nil {
			t.Error(err)
		}
	})
	return p, platformtest.World{
		Platform:     p,
		Close:        func(context.Context) error { return closed() },
		Observations: func() []function.Observation { mu.Lock(); defer mu.Unlock(); return slices.Clone(seen) },
		Shared:       filepath.Join(cfg.DataDir, "shared"),
	}
}

// patience is how long to wait for what has to happen, on however slow a machine.
const patience = 2 * time.Minute

func TestProcessDriver(t *testing.T) {
	bin := platformtest.Build(t)
	p, w := world(t, local.Config{})
	enforced := p.Enforced()
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !enforced.CPU || !enforced.Memory {
		if os.Getenv("AQUATOPE_TEST_LIMITS") == "require" {
			t.Fatal("limits cannot be set: ", enforced.Reason)
		}
		t.Log("limits are not tested: ", enforced.Reason)
	}
	platformtest.Run(t, platformtest.Harness{
		New: func(t *testing.T, o platformtest.Options) platformtest.World {
			_, w := world(t, local.Config{
				Capacity: o.Capacity, QueueLimit: o.QueueLimit, QueueDeadline: o.QueueDeadline, MaxResponse: o.MaxResponse,
			})
			return w
		},
		Function: func(name string) function.Function {
			return function.Function{Name: name, Command: []string{bin}}
		},
		Limits: enforced.CPU && enforced.Memory,
	})
}
