package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aquatope/aquatope/manifest"
	"github.com/aquatope/aquatope/server/client"
)

// awaitInterval is how often the state of starting instances is read.
const awaitInterval = 100 * time.Millisecond

// awaitWarm waits until each function of the bundle has as many instances ready
// as are to be kept warm.
func awaitWarm(ctx context.Context, env *Env, c *client.Client, b *manifest.Bundle, timeout time.Duration) error {
	names := map[string]bool{}
	for _, f := range b.Functions {
		names[f.Name] = true
	}
	deadline := time.Now().Add(timeout)
	told := false
	for {
		functions, err := c.Functions(ctx)
		if err != nil {
			return err
		}
		var missing []string
		for _, f := range functions {
			if names[f.Name] && f.Idle+f.Busy < f.Warm {
				why := ""
				if f.StartError != "" {
					why = ": " + f.StartError
				}
				missing = append(missing, fmt.Sprintf("%s (%d of %d%s)", f.Name, f.Idle+f.Busy, f.Warm, why))
			}
		}
		if len(missing) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("deployed, but not ready after %s: %s\n  \"aquatope status\" shows the state of functions; the server's log has what they printed",
				humanDuration(timeout), strings.Join(missing, ", "))
		}
		if !told {
			env.Notef("waiting for warm instances of %s", strings.Join(missing, ", "))
			told = true
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(awaitInterval):
		}
	}
}
