package cli

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/aquatope/aquatope/experiment"
)

type listener = net.Listener

// readHeaderTimeout bounds how long a client may take to send a header, and
// awaitTimeout how long another process may take to get ready.
const (
	readHeaderTimeout = 10 * time.Second
	awaitTimeout      = time.Minute
)

// peer is another process of this program, for experiments that must not share
// one with what they measure.
type peer struct {
	url    string
	cmd    *exec.Cmd
	ended  chan struct{}
	stderr bytes.Buffer // read once ended
}

// startPeer starts self with args and a --ready-file in dir, and waits until
// it has said its URL.
func startPeer(ctx context.Context, env *Env, dir, name, self string, args ...string) (*peer, error) {
	ready := filepath.Join(dir, name+".url")
	p := &peer{ended: make(chan struct{})}
	p.cmd = exec.Command(self, append(args, "--ready-file", ready)...)
	p.cmd.Stderr = &p.stderr
	// A group of its own: Ctrl-C reaches it through stop, after the clients.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the %s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is judged by whether it got ready
		close(p.ended)
	}()
	deadline := time.After(awaitTimeout)
	for {
		if text, err := os.ReadFile(ready); err == nil {
			p.url = strings.TrimSpace(string(text))
			return p, nil
		}
		select {
		case <-p.ended:
			return nil, fmt.Errorf("the %s ended while starting:\n%s", name, strings.TrimSpace(p.stderr.String()))
		case <-deadline:
			p.stop()
			return nil, fmt.Errorf("the %s was not ready within %s", name, awaitTimeout)
		case <-ctx.Done():
			p.stop()
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the process and waits for it.
func (p *peer) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(awaitTimeout):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

func listen(ctx context.Context, address string) (net.Listener, int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, 0, fmt.Errorf("listening on %s: %w", address, err)
	}
	return l, l.Addr().(*net.TCPAddr).Port, nil
}

func proxyHandler(to string) (http.Handler, error) {
	u, err := url.Parse(to)
	if err != nil || u.Host == "" {
		return nil, Usagef("--to %q: write a URL", to)
	}
	return experiment.OverheadProxy(u), nil
}

// writeReady writes a URL to a file. It is renamed into place, so that whoever
// waits for the file never reads half of it.
func writeReady(path, url string) error {
	if err := os.WriteFile(path+".tmp", []byte(url+"\n"), 0o600); err != nil {
		return fmt.Errorf("writing --ready-file: %w", err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return fmt.Errorf("writing --ready-file: %w", err)
	}
	return nil
}
