package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/aquatope/aquatope/platform/local/internal/process"
	"github.com/aquatope/aquatope/platform/local/internal/sandbox"
)

func newDriver(cfg Config) (sandbox.Driver, error) {
	switch cfg.Driver {
	case DriverProcess:
		return process.New(cfg.DataDir, cfg.Logger)
	}
	return nil, fmt.Errorf("no driver is called %q: use %s or %s", cfg.Driver, DriverProcess, DriverDocker)
}

// lockDir makes sure that one platform at a time uses a state folder. The
// kernel frees the lock when its holder ends, however it ends.
func lockDir(dir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "platform.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("the data folder %s is used by another Aquatope: stop it or choose another folder", dir)
		}
		return nil, fmt.Errorf("locking the data folder: %w", err)
	}
	return f.Close, nil
}
