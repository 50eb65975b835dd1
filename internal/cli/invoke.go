package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/server/client"
)

func newInvokeCmd(env *Env) *cobra.Command {
	var (
		data     string
		async    bool
		function bool
		key      string
	)
	cmd := &cobra.Command{
		Use:     "invoke NAME",
		GroupID: groupRun,
		Short:   "Run a workflow, or call one function, and print its output",
		Long: `Runs the workflow NAME, or calls the function NAME where no workflow has that
name, and waits for the output, which goes to stdout as it came. Timing goes
to stderr. With --async the run is only started: its id is printed, and
"aquatope runs show ID" tells how it ends, even after the server restarted.`,
		Example: `  aquatope invoke chain -d @examples/chain/payloads/monday.json
  aquatope invoke ml-pipeline -d @photo.json
  generate | aquatope invoke chain -d @-
  aquatope invoke chain --async
  aquatope invoke resize --function`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			input, err := env.payload(data)
			if err != nil {
				return err
			}
			c, err := env.client()
			if err != nil {
				return err
			}
			if async {
				if function {
					return Usagef("--async runs workflows: --function cannot be combined with it")
				}
				return startRun(cmd.Context(), env, c, args[0], input, key)
			}
			if key != "" {
				return Usagef("--idempotency-key needs --async")
			}
			return invoke(cmd.Context(), env, c, args[0], input, function)
		},
	}
	cmd.Flags().StringVarP(&data, "data", "d", "", "input: JSON, @file or @- for stdin (default {})")
	cmd.Flags().BoolVar(&async, "async", false, "start the run and print its id without waiting")
	cmd.Flags().BoolVar(&function, "function", false, "NAME is a function, even if a workflow has the same name")
	cmd.Flags().StringVar(&key, "idempotency-key", "", "with --async: starting again with the same key returns the first run")
	return env.serverFlag(cmd)
}

func invoke(ctx context.Context, env *Env, c *client.Client, name string, input []byte, function bool) error {
	start := time.Now()
	call := c.InvokeWorkflow
	if function {
		call = c.InvokeFunction
	}
	result, err := call(ctx, name, input)
	if w := unknown(err); w != nil && !function {
		result, err = c.InvokeFunction(ctx, name, input)
		if f := unknown(err); f != nil {
			return fmt.Errorf("no workflow and no function is called %q\n  workflows: %s\n  functions: %s", name, w.Hint, f.Hint)
		}
	}
	if err != nil {
		var p *api.Problem
		if errors.As(err, &p) && p.RunID != "" {
			return fmt.Errorf("run %s: %w", p.RunID, err)
		}
		return err
	}
	took := humanDuration(time.Since(start))
	if _, err := env.Stdout.Write(result.Body); err != nil {
		return err
	}
	if n := len(result.Body); n > 0 && result.Body[n-1] != '\n' {
		fmt.Fprintln(env.Stdout)
	}
	env.Notef("run %s ended after %s", result.RunID, took)
	return nil
}

// unknown returns the server's answer that it knows nothing of that name, nil
// if err is something else: a function may well answer 404 itself.
func unknown(err error) *api.Problem {
	var p *api.Problem
	if errors.As(err, &p) && p.Type == api.TypeNotFound {
		return p
	}
	return nil
}

func startRun(ctx context.Context, env *Env, c *client.Client, name string, input []byte, key string) error {
	r, err := c.StartRun(ctx, name, input, key)
	if err != nil {
		return err
	}
	if env.flags.output == "table" {
		fmt.Fprintln(env.Stdout, r.ID)
		env.Notef("started; \"aquatope runs show %s\" tells how it goes", r.ID)
		return nil
	}
	return env.Print("Run", r, runsTable([]api.Run{r}))
}
