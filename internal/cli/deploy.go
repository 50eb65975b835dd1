package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/manifest"
	"github.com/aquatope/aquatope/server/api"
)

func newDeployCmd(env *Env) *cobra.Command {
	var (
		files   []string
		dryRun  bool
		timeout time.Duration
	)
	cmd := &cobra.Command{
		Use:     "deploy -f FILE|DIR...",
		GroupID: groupRun,
		Short:   "Deploy workflows and functions from manifests",
		Long: `Reads manifests (Open Workflow Specification documents for workflows, Knative
Services for functions; YAML or JSON, several to a file), checks them, sends
them to the server and waits until instances that are to be kept warm are
ready. What is deployed already and equal is left alone; what is not in the
manifests stays. Mistakes are reported with file, line and column.

--dry-run only reads and checks, and needs no server.`,
		Example: `  aquatope deploy -f examples/chain
  aquatope deploy -f workflow.yaml -f functions.yaml
  aquatope deploy -f app.yaml --dry-run
  generate-manifests | aquatope deploy -f -`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(files) == 0 {
				return Usagef("name what to deploy: -f FILE or -f DIR")
			}
			bundle, err := loadManifests(env, files)
			if err != nil {
				return err
			}
			if err := checkCalls(cmd.Context(), env, bundle); err != nil {
				return err
			}
			if dryRun {
				return deployDry(env, bundle)
			}
			return deploy(cmd.Context(), env, bundle, timeout)
		},
	}
	cmd.Flags().StringArrayVarP(&files, "filename", "f", nil, "manifest, or folder of manifests; - is stdin; may be repeated")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "check only; needs no server")
	cmd.Flags().DurationVar(&timeout, "timeout", time.Minute, "how long to wait until warm instances are ready")
	return env.serverFlag(cmd)
}

func loadManifests(env *Env, files []string) (*manifest.Bundle, error) {
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f
		if f != "-" {
			paths[i] = env.path(f)
		}
	}
	b, err := manifest.Load(paths...)
	if err != nil {
		return nil, manifestError(env, err)
	}
	if len(b.Workflows)+len(b.Functions) == 0 {
		return nil, fmt.Errorf("%s: no workflow and no function in there", strings.Join(files, ", "))
	}
	return b, nil
}

// manifestError shortens the names of files to what the user typed.
func manifestError(env *Env, err error) error {
	var list manifest.Errors
	if !errors.As(err, &list) {
		return err
	}
	lines := make([]string, len(list))
	for i, e := range list {
		short := *e
		short.File = strings.TrimPrefix(short.File, env.Dir+"/")
		lines[i] = short.Error()
	}
	return errors.New(strings.Join(lines, "\n"))
}

// checkCalls makes sure that all functions that are called exist. Those that
// are deployed already count, where a server is there to tell; without one the
// manifests must be complete. Checked here, mistakes have their place in the
// user's files.
func checkCalls(ctx context.Context, env *Env, b *manifest.Bundle) error {
	err := b.Check()
	if err == nil {
		return nil
	}
	c, cerr := env.client()
	if cerr != nil {
		return cerr
	}
	functions, lerr := c.Functions(ctx)
	if lerr != nil {
		return manifestError(env, err)
	}
	known := make([]string, len(functions))
	for i, f := range functions {
		known[i] = f.Name
	}
	if err := b.Check(known...); err != nil {
		return manifestError(env, err)
	}
	return nil
}

func deployDry(env *Env, b *manifest.Bundle) error {
	d := api.Deployment{DryRun: true, Changes: []api.Change{}}
	for _, f := range b.Functions {
		d.Changes = append(d.Changes, api.DescribeFunction(f))
	}
	for _, w := range b.Workflows {
		d.Changes = append(d.Changes, api.DescribeWorkflow(w))
	}
	t := deploymentTable(d)
	t.Note = "Checked; nothing was deployed."
	return env.Print("Deployment", d, t)
}

func deploy(ctx context.Context, env *Env, b *manifest.Bundle, timeout time.Duration) error {
	c, err := env.client()
	if err != nil {
		return err
	}
	text, err := manifest.Marshal(b)
	if err != nil {
		return fmt.Errorf("deploying: %w", err)
	}
	d, err := c.Deploy(ctx, text, false)
	if err != nil {
		return fmt.Errorf("deploying: %w", err)
	}
	if err := awaitWarm(ctx, env, c, b, timeout); err != nil {
		return err
	}
	return env.Print("Deployment", d, deploymentTable(d))
}

func deploymentTable(d api.Deployment) Table {
	t := Table{Columns: []string{"kind", "name", "action", "revision", "what"}}
	for _, c := range d.Changes {
		t.Rows = append(t.Rows, []any{c.Kind, c.Name, string(c.Action), c.Revision, c.Detail})
	}
	return t
}
