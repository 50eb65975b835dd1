package process

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/aquatope/aquatope/platform/local/internal/cgroup"
	"github.com/aquatope/aquatope/platform/local/internal/sandbox"
)

// instance is one process with what belongs to it.
type instance struct {
	sandbox.Usage

	driver *Driver
	port   int
	dir    string
	group  cgroup.Group // nil where control groups cannot be used
	cmd    *exec.Cmd
	pipe   *os.File
	out    *sandbox.Output
	done   chan struct{}

	mu     sync.Mutex
	reaped bool // the process was waited for: its number may mean another now
}

func (in *instance) Addr() string          { return net.JoinHostPort("127.0.0.1", strconv.Itoa(in.port)) }
func (in *instance) Done() <-chan struct{} { return in.done }

// Alive is false from the moment on that the process ends.
func (in *instance) Alive() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return !in.reaped && sandbox.Alive(in.cmd.Process.Pid)
}

func (in *instance) Exit() string { return in.cmd.ProcessState.String() }

// drainOutput is how long the output of an ended process is waited for: a
// descendant may hold the pipe open.
const drainOutput = time.Second

func (in *instance) Tail() []string {
	select {
	case <-in.done: // what it wrote last may still be in the pipe
		select {
		case <-in.out.Done():
		case <-time.After(drainOutput):
		}
	default:
	}
	return in.out.Tail()
}

func (in *instance) Stop(grace time.Duration) error {
	t := time.NewTimer(grace)
	defer t.Stop()
	in.end(syscall.SIGTERM)
	select {
	case <-in.done:
	case <-t.C:
	}
	return in.cleanup()
}

// cleanup ends what is left of the instance and frees what it held. It works
// on an instance that was started in part.
func (in *instance) cleanup() error {
	var errs []error
	if in.group != nil {
		errs = append(errs, in.group.Kill())
	} else if in.cmd != nil {
		in.end(syscall.SIGKILL)
	}
	if in.cmd != nil {
		<-in.done
	}
	if in.pipe != nil {
		if in.out != nil {
			_ = in.pipe.SetReadDeadline(time.Now().Add(drainOutput))
			<-in.out.Done()
		}
		_ = in.pipe.Close()
	}
	if in.group != nil {
		errs = append(errs, in.group.Remove())
	}
	if in.dir != "" {
		errs = append(errs, os.RemoveAll(in.dir))
	}
	if in.port != 0 {
		in.driver.ports.release(in.port)
	}
	return errors.Join(errs...)
}
