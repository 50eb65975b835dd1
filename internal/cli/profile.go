package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/profile"
	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/server/client"
	"github.com/aquatope/aquatope/stats"
)

func newProfileCmd(env *Env) *cobra.Command {
	var (
		req  api.ProfileRequest
		data []string
		grid string
		file string
	)
	cmd := &cobra.Command{
		Use:     "profile WORKFLOW",
		GroupID: groupStudy,
		Short:   "Measure a workflow's functions over a grid of CPU and memory",
		Long: `Runs the workflow once with each of its payloads to see what every stage gets,
finds the least memory that each function survives with, then invokes each
function, alone on the machine, at every point of a grid over its ranges, again
and again. Functions whose inputs do not outlive a run, such as files that it
removes, are measured in runs of the workflow. The result is a profile file: service times, cold starts and peak
memory, which "experiment tune" and the simulator take with --profile.

Measure on a machine that does nothing else. Ctrl-C ends it and leaves nothing
behind.`,
		Example: "  aquatope profile ml-pipeline --file ml-pipeline.json\n  aquatope profile chain --grid 8x4 --repeats 40 --max-time 1h > chain.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if req.CPUs, req.Memories, err = parseGrid(grid); err != nil {
				return err
			}
			if req.Repeats < 1 || req.Repeats > 10000 || req.MaxTime <= 0 {
				return Usagef("--repeats must be between 1 and 10000 and --max-time positive")
			}
			for _, d := range data {
				body, err := env.payload(d)
				if err != nil {
					return err
				}
				req.Inputs = append(req.Inputs, api.WeightedInput{Body: json.RawMessage(body)})
			}
			c, err := env.client()
			if err != nil {
				return err
			}
			p, err := measureProfile(cmd.Context(), env, c, args[0], req)
			if err != nil {
				return err
			}
			if file != "" {
				if err := writeFile(env.path(file), p.Write); err != nil {
					return fmt.Errorf("writing the profile: %w", err)
				}
				return env.Print("ProfileSummary", profileSummary{p.Workflow.Name, file, len(p.Functions)}, profileTable(p))
			}
			return p.Write(env.Stdout)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&grid, "grid", "5x3", "points of CPU x points of memory, evenly in the logarithm over each function's ranges")
	fl.IntVar(&req.Repeats, "repeats", 20, "invocations at each point")
	fl.DurationVar(&req.MaxTime, "max-time", 15*time.Minute, "repeat less often where all repeats would take longer")
	fl.StringArrayVarP(&data, "data", "d", nil, "input of the workflow: JSON, @file or @- for stdin; may be repeated (default the declared payloads)")
	fl.StringVar(&file, "file", "", "write the profile there and a summary to stdout (default the profile to stdout)")
	return env.serverFlag(cmd)
}

// profileSummary says what was written.
type profileSummary struct {
	Workflow  string `json:"workflow"`
	File      string `json:"file"`
	Functions int    `json:"functions"`
}

func parseGrid(text string) (cpus, memories int, err error) {
	a, b, ok := strings.Cut(text, "x")
	if ok {
		cpus, err = strconv.Atoi(a)
		if err == nil {
			memories, err = strconv.Atoi(b)
		}
	}
	if !ok || err != nil || cpus < 2 || cpus > 50 || memories < 1 || memories > 50 {
		return 0, 0, Usagef("--grid %q: write the points of CPU (2 to 50) and of memory (1 to 50), such as 5x3", text)
	}
	return cpus, memories, nil
}

// measureProfile has the server measure and waits for the result. When ctx is
// done it stops the measurement.
func measureProfile(ctx context.Context, env *Env, c *client.Client, name string, req api.ProfileRequest) (*profile.Profile, error) {
	st, err := c.StartProfile(ctx, name, req)
	if err != nil {
		return nil, err
	}
	bar := env.Progress("profile "+name, 1000)
	defer bar.Done("")
	for st.Phase == api.PhaseRunning {
		done := int64(0)
		if st.Total > 0 {
			done = int64(1000 * st.Done / st.Total)
		}
		bar.Set(done, st.Message)
		select {
		case <-ctx.Done():
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			defer cancel()
			if _, err := c.StopProfile(stop, name); err != nil {
				bar.Done("the server could not be told to stop profiling %s: %v", name, err)
			}
			return nil, ctx.Err()
		case <-time.After(tuneInterval):
		}
		next, err := c.Profile(ctx, name)
		if err != nil && ctx.Err() == nil {
			return nil, err
		} else if err == nil {
			st = next
		}
	}
	if st.Phase != api.PhaseDone {
		return nil, fmt.Errorf("profiling %s: %s", name, st.Message)
	}
	return profile.Read(strings.NewReader(string(st.Profile)))
}

// profileTable shows the middle of each function's service times at the ends of
// its grid.
func profileTable(p *profile.Profile) Table {
	t := Table{
		Title:   "Measured: " + p.Workflow.Name,
		Columns: []string{"function", "points", "samples", "memory floor", "median with least", "median with most", "cold start"},
	}
	for _, f := range p.Functions {
		n := 0
		for _, c := range f.Grid {
			n += len(c.ServiceMillis)
		}
		first, last := f.Grid[0], f.Grid[len(f.Grid)-1]
		t.Rows = append(t.Rows, []any{
			f.Name, len(f.Grid), n, f.MemoryFloorBytes, medianMillis(first.ServiceMillis), medianMillis(last.ServiceMillis), medianMillis(f.AllColdStartMillis()),
		})
	}
	return t
}

func medianMillis(ms []float64) any {
	if len(ms) == 0 {
		return nil
	}
	return millis(stats.Quantiles(append([]float64(nil), ms...), 0.5)[0])
}
