package local

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/moby/moby/client"

	"github.com/aquatope/aquatope/platform/local/internal/cgroup"
	"github.com/aquatope/aquatope/platform/local/internal/landlock"
)

// Check is one thing that this machine can or cannot do.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`         // what was found
	Hint   string `json:"hint,omitempty"` // what to do about it, if not OK
}

// Diagnose tries what the drivers need on this machine, and undoes it.
func Diagnose(ctx context.Context) []Check {
	return append(limitChecks(), confinementCheck(), dockerCheck(ctx))
}

// limitChecks makes a control group with limits and removes it.
func limitChecks() []Check {
	root, err := cgroup.Open(fmt.Sprintf("aquatope-diagnose-%d", os.Getpid()))
	if err != nil {
		return []Check{{
			Name: "control groups", Detail: err.Error(),
			Hint: "functions run without limits and sizing is refused; run as root, or: systemd-run --user --scope -p Delegate=yes aquatope up",
		}}
	}
	defer root.Remove()
	checks := []Check{{Name: "control groups", OK: true, Detail: fmt.Sprintf("version %d", root.Version())}}
	for _, c := range []string{"cpu", "memory", "pids"} {
		why := root.Missing()[c]
		check := Check{Name: c + " limits", OK: why == "", Detail: "can be set"}
		if why != "" {
			check.Detail, check.Hint = why, "have the "+c+" controller delegated to this user, or run as root"
		}
		checks = append(checks, check)
	}
	g, err := root.New("trial", cgroup.Limits{MilliCPU: 250, Memory: 16 << 20, Pids: 16})
	if err != nil {
		i := slices.IndexFunc(checks, func(c Check) bool { return c.Name == "cpu limits" })
		checks[i] = Check{Name: "cpu limits", Detail: err.Error(), Hint: "run as root"}
		return checks
	}
	defer g.Remove()
	peak := Check{Name: "peak memory", OK: true, Detail: "measured per invocation"}
	if !g.PeakResets() {
		peak.Detail = "measured since the start of an instance: the kernel cannot reset it (version 2 can since Linux 6.12)"
	}
	return append(checks, peak)
}

func confinementCheck() Check {
	if v := landlock.Version(); v > 0 {
		c := Check{Name: "Landlock", OK: true, Detail: fmt.Sprintf("version %d of its interface: files", v)}
		if v >= 4 {
			c.Detail += ", ports"
		}
		if v >= 6 {
			c.Detail += ", signals"
		}
		return c
	}
	return Check{
		Name: "Landlock", Detail: "the kernel has none, or it is not among the active security modules",
		Hint: "functions read and write what this user may; boot with lsm=landlock,... or use the docker driver",
	}
}

func dockerCheck(ctx context.Context) Check {
	const hint = "needed by the docker driver only; install Docker (Debian: docker.io), start it, or set DOCKER_HOST"
	api, err := client.New(client.FromEnv)
	if err != nil {
		return Check{Name: "Docker engine", Detail: err.Error(), Hint: hint}
	}
	defer api.Close()
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	v, err := api.Ping(ctx, client.PingOptions{})
	if err != nil {
		return Check{Name: "Docker engine", Detail: "does not answer at " + api.DaemonHost(), Hint: hint}
	}
	return Check{Name: "Docker engine", OK: true, Detail: "API version " + v.APIVersion}
}
