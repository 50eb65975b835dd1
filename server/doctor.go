package server

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"github.com/aquatope/aquatope/platform/local"
	"github.com/aquatope/aquatope/server/api"
)

// Doctor says what this machine can and cannot do for functions.
func Doctor(ctx context.Context) []api.Check {
	var checks []api.Check
	for _, c := range local.Diagnose(ctx) {
		check := api.Check{Name: c.Name, Status: api.CheckOK, Detail: c.Detail, Hint: c.Hint}
		if !c.OK {
			check.Status = api.CheckWarn
		}
		checks = append(checks, check)
	}
	return append(checks, filesCheck(), api.Check{
		Name: "machine", Status: api.CheckOK, Detail: fmt.Sprintf("%s/%s, %d CPUs", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
	})
}

// filesCheck looks at the limit on open files: every request that is under way
// needs two.
func filesCheck() api.Check {
	const enough = 4096
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return api.Check{Name: "open files", Status: api.CheckWarn, Detail: os.NewSyscallError("getrlimit", err).Error()}
	}
	c := api.Check{Name: "open files", Status: api.CheckOK, Detail: fmt.Sprintf("up to %d", l.Max)}
	if l.Max < enough {
		c.Status = api.CheckWarn
		c.Hint = "two are needed for every request under way: ulimit -n 65536"
	}
	return c
}
