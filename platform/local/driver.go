package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aquatope/aquatope/platform/local/internal/docker"
	"github.com/aquatope/aquatope/platform/local/internal/process"
	"github.com/aquatope/aquatope/platform/local/internal/sandbox"
)

func newDriver(cfg Config, lock *os.File) (sandbox.Driver, error) {
	switch cfg.Driver {
	case DriverProcess:
		return process.New(cfg.DataDir, lock, cfg.Logger)
	case DriverDocker:
		return docker.New(context.Background(), cfg.DataDir, cfg.Logger)
	}
	return nil, fmt.Errorf("no driver is called %q: use %s or %s", cfg.Driver, DriverProcess, DriverDocker)
}

// lockPatience is how long a lock is waited for: the guard of a platform that
// was killed holds it until it has cleaned up.
const lockPatience = 5 * time.Second

// lockDir makes sure that one platform at a time uses a state folder. The
// kernel frees the lock when its last holder ends, however that ends.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "platform.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the data folder: %w", err)
	}
	for end := time.Now().Add(lockPatience); ; time.Sleep(20 * time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			_, err = f.WriteAt(fmt.Appendf(nil, "%-10d\n", os.Getpid()), 0)
			return f, err
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			_ = f.Close()
			return nil, fmt.Errorf("locking the data folder: %w", err)
		}
		if pid := holder(f); time.Now().After(end) || pid > 0 && syscall.Kill(pid, 0) == nil {
			_ = f.Close()
			return nil, fmt.Errorf("the data folder %s is used by another Aquatope (process %d): stop it or choose another folder", dir, pid)
		}
	}
}

// holder reads which process wrote its number into a lock file, 0 if none.
func holder(f *os.File) int {
	var buf [16]byte
	n, _ := f.ReadAt(buf[:], 0)
	pid, _ := strconv.Atoi(strings.TrimSpace(string(buf[:n])))
	return pid
}
