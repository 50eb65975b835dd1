package process

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/aquatope/aquatope/platform/local/internal/sandbox"
)

// Verify checks that one of the instance's own processes listens on its port,
// and not another program that took it first.
func (in *instance) Verify() error {
	if in.group == nil {
		return nil // its processes are not known
	}
	pids, err := in.group.Pids()
	if err != nil {
		return err
	}
	sockets, err := listeners(in.port)
	if err != nil {
		return fmt.Errorf("finding who listens on port %d: %w", in.port, err)
	}
	for _, pid := range pids {
		if holds(pid, sockets) {
			return nil
		}
	}
	if len(sockets) == 0 {
		return fmt.Errorf("nobody listens on port %d", in.port)
	}
	return fmt.Errorf("%w: %d", sandbox.ErrPortTaken, in.port)
}

// listeners returns the inodes of the sockets that listen on port.
func listeners(port int) (map[string]bool, error) {
	found := map[string]bool{}
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		if err := listenersIn(file, port, found); err != nil && !os.IsNotExist(err) {
			return nil, err
		}
	}
	return found, nil
}

// listenersIn reads one table, see proc_net_tcp in the kernel's documentation.
// Listening sockets come first, so that the rest need not be read.
func listenersIn(file string, port int, found map[string]bool) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	const listening = "0A"
	suffix := fmt.Sprintf(":%04X", port)
	s := bufio.NewScanner(f)
	for s.Scan() {
		fields := strings.Fields(s.Text())
		if len(fields) < 10 || fields[0] == "sl" {
			continue
		}
		if fields[3] != listening {
			break
		}
		if strings.HasSuffix(fields[1], suffix) {
			found["socket:["+fields[9]+"]"] = true
		}
	}
	return s.Err()
}

// holds reports whether a process has one of the sockets open.
func holds(pid int, sockets map[string]bool) bool {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd/"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if target, err := os.Readlink(dir + e.Name()); err == nil && sockets[target] {
			return true
		}
	}
	return false
}
