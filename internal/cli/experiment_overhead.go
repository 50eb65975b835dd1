package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/manifest"
	"github.com/aquatope/aquatope/server/client"
)

// The bounds on what Aquatope may add to the latency of a call, relative to
// what a bare reverse proxy adds.
const (
	maxAddedP50 = 1.5
	maxAddedP99 = 2.0
)

// overheadResult is the document of the overhead experiment.
type overheadResult struct {
	Results []experiment.OverheadResult `json:"results"`
}

func newExperimentOverheadCmd(env *Env) *cobra.Command {
	o := experiment.OverheadOptions{Seed: 1}
	cmd := &cobra.Command{
		Use:   "overhead",
		Short: "What Aquatope adds to the latency of one warm call",
		Long: `Starts a server in a process of its own, deploys a function that does nothing,
and calls the one warm instance of it in ways that take turns: directly, through
a reverse proxy of Go's standard library in a process of its own, and through
Aquatope (gateway, engine, local platform, observations stored), as a call of
the function and as a run of a workflow of one stage.
Exits with 1 if Aquatope adds more than 1.5 times what the proxy adds at the
median, or more than twice at the 99th percentile.`,
		Example: "  aquatope experiment overhead\n  aquatope experiment overhead --rounds 100 -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Rounds < 1 || o.Block < 1 {
				return Usagef("--rounds and --block must be positive")
			}
			results, err := overhead(cmd.Context(), env, o)
			if err != nil {
				return err
			}
			if err := env.Print("OverheadExperiment", overheadResult{results}, overheadTable(results)); err != nil {
				return err
			}
			for _, r := range results {
				if r.AddedRatioP50 > maxAddedP50 || r.AddedRatioP99 > maxAddedP99 {
					return fmt.Errorf("at concurrency %d Aquatope adds %.2f times what the proxy adds at the median and %.2f times at the 99th percentile; at most %v and %v are allowed",
						r.Concurrency, r.AddedRatioP50, r.AddedRatioP99, maxAddedP50, maxAddedP99)
				}
			}
			return nil
		},
	}
	cmd.Flags().IntSliceVar(&o.Concurrency, "concurrency", []int{1, 8}, "workers that call at once; several are measured one after the other")
	cmd.Flags().IntVar(&o.Rounds, "rounds", 60, "how often the ways take turns")
	cmd.Flags().IntVar(&o.Block, "block", 400, "calls of one turn")
	cmd.AddCommand(newOverheadFunctionCmd(env), newOverheadProxyCmd(env))
	return cmd
}

func overheadTable(results []experiment.OverheadResult) Table {
	t := Table{Columns: []string{
		"concurrency", "direct p50 us", "proxy p50 us", "aquatope p50 us", "added ratio p50", "workflow p50 us", "workflow ratio p50",
		"direct p99 us", "proxy p99 us", "aquatope p99 us", "added ratio p99", "calls per second",
	}}
	for _, r := range results {
		t.Rows = append(t.Rows, []any{
			r.Concurrency, r.DirectP50Micros, r.ProxyP50Micros, r.AquatopeP50Micros,
			fmt.Sprintf("%.2f [%.2f, %.2f]", r.AddedRatioP50, r.AddedRatioP50CI[0], r.AddedRatioP50CI[1]),
			r.WorkflowP50Micros, fmt.Sprintf("%.2f", r.WorkflowRatioP50),
			r.DirectP99Micros, r.ProxyP99Micros, r.AquatopeP99Micros,
			fmt.Sprintf("%.2f [%.2f, %.2f]", r.AddedRatioP99, r.AddedRatioP99CI[0], r.AddedRatioP99CI[1]),
			r.Throughput,
		})
	}
	t.Note = "The ratio is what Aquatope adds to a direct call over what the proxy adds, with its 95 % interval."
	return t
}

// overheadManifest deploys the function of the experiment: one instance, warm,
// that serves any number of requests at once.
const overheadManifest = `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: overhead
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/min-scale: "1"
        autoscaling.knative.dev/max-scale: "1"
    spec:
      containerConcurrency: 100
      containers:
        - command: [%q, experiment, overhead, function]
          resources:
            limits: {cpu: "2", memory: 256Mi}
---
document: {dsl: '1.0.3', namespace: default, name: overhead, version: '1.0.0'}
do:
  - only: {call: overhead}
`

func overhead(ctx context.Context, env *Env, o experiment.OverheadOptions) ([]experiment.OverheadResult, error) {
	srv, err := startOwnServer(ctx, env)
	if err != nil {
		return nil, err
	}
	defer srv.close()
	direct, err := deployOverhead(ctx, env, srv.client, fmt.Appendf(nil, overheadManifest, srv.self))
	if err != nil {
		return nil, err
	}
	proxy, err := startPeer(ctx, env, srv.dir, "proxy", srv.self, "experiment", "overhead", "proxy", "--to", direct)
	if err != nil {
		return nil, err
	}
	defer proxy.stop()

	bar := env.Progress("overhead", int64(len(o.Concurrency)*o.Rounds*4))
	defer bar.Done("")
	return experiment.Overhead(ctx, experiment.OverheadPaths{
		Direct: direct, Proxy: proxy.url, Aquatope: srv.url + "/functions/overhead", Workflow: srv.url + "/workflows/overhead",
	}, o, func(done, _ int) { bar.Set(int64(done), "") })
}

// deployOverhead deploys the function and returns the address of its instance.
func deployOverhead(ctx context.Context, env *Env, c *client.Client, text []byte) (string, error) {
	b, err := manifest.Parse("overhead", text)
	if err != nil {
		return "", fmt.Errorf("reading the experiment's manifest: %w", err)
	}
	if _, err := c.Deploy(ctx, text, false); err != nil {
		return "", fmt.Errorf("deploying the experiment's function: %w", err)
	}
	if err := awaitWarm(ctx, env, c, b, awaitTimeout); err != nil {
		return "", err
	}
	r, err := c.InvokeFunction(ctx, "overhead", []byte("{}"))
	if err != nil {
		return "", fmt.Errorf("calling the experiment's function: %w", err)
	}
	var who struct{ Port int }
	if err := json.Unmarshal(r.Body, &who); err != nil || who.Port == 0 {
		return "", fmt.Errorf("the experiment's function answered %q instead of its port", r.Body)
	}
	return fmt.Sprintf("http://127.0.0.1:%d", who.Port), nil
}

// newOverheadFunctionCmd is the function that the experiment calls.
func newOverheadFunctionCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "function", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, port, err := listen(cmd.Context(), "127.0.0.1:"+env.Getenv("PORT"))
			if err != nil {
				return err
			}
			return serveUntil(cmd.Context(), l, experiment.OverheadFunction(port))
		},
	}
}

// newOverheadProxyCmd is the reverse proxy that Aquatope is compared with.
func newOverheadProxyCmd(env *Env) *cobra.Command {
	var to, readyFile string
	cmd := &cobra.Command{
		Use: "proxy", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			handler, err := proxyHandler(to)
			if err != nil {
				return err
			}
			l, port, err := listen(cmd.Context(), "127.0.0.1:0")
			if err != nil {
				return err
			}
			if err := writeReady(env.path(readyFile), fmt.Sprintf("http://127.0.0.1:%d", port)); err != nil {
				return err
			}
			return serveUntil(cmd.Context(), l, handler)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "URL to pass requests to")
	cmd.Flags().StringVar(&readyFile, "ready-file", "", "write the proxy's URL to this file")
	return cmd
}

func serveUntil(ctx context.Context, l listener, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: readHeaderTimeout}
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case <-ctx.Done():
		return s.Close()
	case err := <-failed:
		return err
	}
}
