package process

import (
	"os/exec"
	"runtime"
)

// spawner starts processes from one thread that lives as long as the driver.
// The kernel sends Pdeathsig when the *thread* that started a child ends, and
// Go may end any other thread.
type spawner struct {
	jobs chan job
	done chan struct{}
}

type job struct {
	cmd *exec.Cmd
	err chan error
}

func newSpawner() *spawner {
	s := &spawner{jobs: make(chan job), done: make(chan struct{})}
	go s.run()
	return s
}

func (s *spawner) run() {
	runtime.LockOSThread() // and never unlock: the thread must not serve others
	defer close(s.done)
	for j := range s.jobs {
		j.err <- j.cmd.Start()
	}
}

func (s *spawner) start(cmd *exec.Cmd) error {
	j := job{cmd, make(chan error, 1)}
	s.jobs <- j
	return <-j.err
}

// close ends the thread, and with it whatever it started that still runs.
func (s *spawner) close() {
	close(s.jobs)
	<-s.done
}
