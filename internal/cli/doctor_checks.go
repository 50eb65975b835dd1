package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aquatope/aquatope/platform/local"
	"github.com/aquatope/aquatope/server"
	"github.com/aquatope/aquatope/server/api"
)

// machineChecks starts a platform in a folder of its own and looks at what it
// can enforce.
func machineChecks(ctx context.Context, driver string) []api.Check {
	fail := func(err error) []api.Check {
		return []api.Check{{
			Name: "local platform", Status: api.CheckFail, Detail: fmt.Sprintf("%s driver: %v", driver, err),
			Hint: "aquatope up will fail the same way",
		}}
	}
	dir, err := os.MkdirTemp("", "aquatope-doctor-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	p, err := local.New(local.Config{DataDir: dir, Driver: driver})
	if err != nil {
		return fail(err)
	}
	if err := p.Close(ctx); err != nil {
		return fail(err)
	}
	checks := []api.Check{{Name: "local platform", Status: api.CheckOK, Detail: driver + " driver starts"}}
	return append(checks, server.Doctor(ctx)...)
}

// serverCheck says whether a server answers.
func serverCheck(ctx context.Context, env *Env) api.Check {
	c, err := env.client()
	if err != nil {
		return api.Check{Name: "server", Status: api.CheckFail, Detail: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	s, err := c.Status(ctx)
	if err != nil {
		return api.Check{Name: "server", Status: api.CheckWarn, Detail: "none answers at " + c.Address(), Hint: "start one: aquatope up"}
	}
	return api.Check{
		Name: "server", Status: api.CheckOK,
		Detail: fmt.Sprintf("version %s at %s, %d workflows, %d functions", s.Version, c.Address(), len(s.Workflows), len(s.Functions)),
	}
}
