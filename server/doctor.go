package server

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/moby/moby/client"

	"github.com/aquatope/aquatope/platform/local"
	"github.com/aquatope/aquatope/server/api"
)

// Doctor says what this machine can and cannot do for functions.
func Doctor(ctx context.Context, e local.Enforced) []api.Check {
	return []api.Check{
		limitCheck("CPU limits", e.CPU, e.Reason),
		limitCheck("memory limits", e.Memory, e.Reason),
		landlockCheck(),
		dockerCheck(ctx),
		filesCheck(),
		{Name: "machine", Status: api.CheckOK, Detail: fmt.Sprintf("%s/%s, %d CPUs", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())},
	}
}

func limitCheck(name string, ok bool, reason string) api.Check {
	if ok {
		return api.Check{Name: name, Status: api.CheckOK, Detail: "enforced and measured"}
	}
	return api.Check{
		Name: name, Status: api.CheckWarn, Detail: "not enforced: " + reason,
		Hint: "workflows run, but sizing them would measure nonsense and is refused",
	}
}

// landlockCheck asks the kernel for the version of Landlock that it has.
func landlockCheck() api.Check {
	const (
		sysLandlockCreateRuleset = 444
		versionOnly              = 1
	)
	v, _, errno := syscall.Syscall(sysLandlockCreateRuleset, 0, 0, versionOnly)
	if errno != 0 {
		return api.Check{
			Name: "confinement", Status: api.CheckWarn, Detail: "the kernel has no Landlock: " + errno.Error(),
			Hint: "functions can read what the server's user can; use the docker driver for code you do not trust",
		}
	}
	return api.Check{Name: "confinement", Status: api.CheckOK, Detail: fmt.Sprintf("Landlock, version %d", v)}
}

func dockerCheck(ctx context.Context) api.Check {
	c, err := client.New(client.FromEnv)
	if err == nil {
		defer c.Close()
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		_, err = c.Ping(ctx, client.PingOptions{})
	}
	if err != nil {
		return api.Check{
			Name: "Docker engine", Status: api.CheckWarn, Detail: "does not answer",
			Hint: "only functions given as images need it: apt install docker.io",
		}
	}
	return api.Check{Name: "Docker engine", Status: api.CheckOK, Detail: "answers at " + c.DaemonHost()}
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
