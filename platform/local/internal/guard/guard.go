// Package guard ends what a platform started when the platform itself is
// killed. The kernel ends the processes that it started (Pdeathsig), but not
// the children of those, and nothing cleans up their control groups. A guard
// is a process that waits for its parent's end, which it sees as the end of
// its standard input, and cleans up.
//
// Any binary that links this package is its own guard: started under the name
// Name, it does the work while packages initialise and never reaches main.
package guard

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"sync"
	"syscall"

	"github.com/aquatope/aquatope/platform/local/internal/cgroup"
)

// Name is the argv[0] that turns a binary into a guard.
const Name = "aquatope-guard"

// Guard is the parent's end of a guard process.
type Guard struct {
	cmd *exec.Cmd
	mu  sync.Mutex
	in  io.WriteCloser
}

// Start starts a guard of the groups below the given folders, see
// cgroup.Root.Dirs. The guard inherits lock, so that nobody else takes over
// the platform's state before it is done.
func Start(groups []string, lock *os.File) (*Guard, error) {
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: append([]string{Name}, groups...), Dir: "/", Env: []string{},
		ExtraFiles: []*os.File{lock}, SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the guard: %w", err)
	}
	return &Guard{cmd: cmd, in: in}, nil
}

// Watch adds a process group to what is ended with the parent. It serves where
// control groups cannot be used.
func (g *Guard) Watch(pgid int) { g.send('+', pgid) }

// Forget takes a process group out again, before its leader is waited for.
func (g *Guard) Forget(pgid int) { g.send('-', pgid) }

func (g *Guard) send(sign byte, pgid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, _ = fmt.Fprintf(g.in, "%c%d\n", sign, pgid)
}

// Close ends the guard, which has nothing to do any more, and waits for it.
func (g *Guard) Close() error {
	g.mu.Lock()
	_ = g.in.Close()
	g.mu.Unlock()
	return g.cmd.Wait()
}

func init() {
	if len(os.Args) > 0 && os.Args[0] == Name {
		signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
		if err := run(os.Stdin, os.Args[1:]); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// run waits for the end of in and ends everything.
func run(in io.Reader, groups []string) error {
	watched := map[int]bool{}
	for s := bufio.NewScanner(in); s.Scan(); {
		line := s.Text()
		if len(line) < 2 {
			continue
		}
		if pgid, err := strconv.Atoi(line[1:]); err == nil && pgid > 1 {
			watched[pgid] = line[0] == '+'
		}
	}
	for pgid, on := range watched {
		if on {
			_ = syscall.Kill(-pgid, syscall.SIGKILL)
		}
	}
	return cgroup.SweepDirs(groups)
}
