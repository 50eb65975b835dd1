package process

import (
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/aquatope/aquatope/platform/local/internal/landlock"
)

// spawn starts the process and returns when it runs. From then on a goroutine
// waits for its end.
//
// That goroutine has a thread of its own, for the instance's whole life. A
// child inherits control groups, Landlock rules and no_new_privs from the
// thread that forks it, so the thread is prepared instead of the child: a
// launcher process in between, which would do the same before exec, doubles
// the time of a cold start. The thread stays, because the kernel sends
// Pdeathsig when the thread that forked a child ends; it would be blocked
// waiting for the child anyway. It is never used for anything else: Go ends a
// locked thread with its goroutine, and forks new threads from clean ones.
func (in *instance) spawn(cmd *exec.Cmd, rules *landlock.Rules) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		if err := in.fork(cmd, rules); err != nil {
			started <- err
			return
		}
		in.cmd = cmd
		if in.group == nil {
			in.driver.guard.Watch(cmd.Process.Pid)
		}
		started <- nil
		in.await()
	}()
	return <-started
}

// fork prepares the thread and starts the process from it.
func (in *instance) fork(cmd *exec.Cmd, rules *landlock.Rules) (err error) {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if in.group != nil {
		leave, err := in.group.Enter()
		defer func() {
			if lerr := leave(); lerr != nil {
				in.driver.log.Error("leaving a control group", "error", lerr)
			}
		}()
		if err != nil {
			return err
		}
	}
	if rules != nil {
		if err := rules.Enforce(); err != nil {
			return err
		}
	}
	return cmd.Start()
}

// await waits for the process to end.
func (in *instance) await() {
	// First without collecting it, so that its number stays its own until
	// nobody uses it any more.
	pid := in.cmd.Process.Pid
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			break
		}
	}
	in.mu.Lock()
	if in.group == nil {
		// The members of its process group end with it.
		_ = syscall.Kill(-pid, syscall.SIGKILL)
		in.driver.guard.Forget(pid)
	}
	in.reaped = true
	_ = in.cmd.Wait()
	in.mu.Unlock()
	close(in.done)
}

// end sends a signal to the instance's process group.
func (in *instance) end(sig syscall.Signal) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.reaped {
		_ = syscall.Kill(-in.cmd.Process.Pid, sig)
	}
}
