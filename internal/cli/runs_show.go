package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/server/client"
	"github.com/aquatope/aquatope/workflow"
)

func newRunsShowCmd(env *Env) *cobra.Command {
	var watch bool
	cmd := &cobra.Command{
		Use:   "show RUN",
		Short: "Show one run: its stages in time, where they waited, how they ended",
		Long: `Shows one run with every invocation that it made. In the timeline, "." is time
in a queue, "~" is the cold start of an instance, "=" is execution.
--watch waits for the end of a run that is under way.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := env.client()
			if err != nil {
				return err
			}
			r, err := c.Run(cmd.Context(), args[0])
			if err == nil && watch {
				r, err = awaitRun(cmd.Context(), c, r)
			}
			if err != nil {
				return err
			}
			head := Table{Rows: [][]any{
				{"run", r.ID},
				{"workflow", r.Workflow + r.Function},
				{"status", string(r.Status)},
				{"started", human(r.Start)},
				{"took", human(runTook(r))},
				{"target", qosText(r.QoS)},
				{"promise", runPromise(r)},
			}}
			if r.Problem != nil {
				head.Rows = append(head.Rows, []any{"problem", r.Problem.Error()})
			}
			if len(r.Output) > 0 {
				head.Rows = append(head.Rows, []any{"output", abbreviate(string(r.Output))})
			}
			if env.flags.output == "csv" {
				return env.Print("Run", r, runStagesTable(r))
			}
			return env.Print("Run", r, head, runStagesTable(r))
		},
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "wait until the run has ended")
	return env.serverFlag(cmd)
}

// awaitRun reads a run until it has ended.
func awaitRun(ctx context.Context, c *client.Client, r api.Run) (api.Run, error) {
	for wait := 50 * time.Millisecond; !r.Status.Ended(); wait = min(2*wait, 2*time.Second) {
		select {
		case <-ctx.Done():
			return r, ctx.Err()
		case <-time.After(wait):
		}
		var err error
		if r, err = c.Run(ctx, r.ID); err != nil {
			return r, err
		}
	}
	return r, nil
}

func runStagesTable(r api.Run) Table {
	t := Table{
		Title:   "Stages",
		Columns: []string{"stage", "at", "function", "start", "took", "queue", "cold start", "execution", "outcome", "timeline"},
	}
	span := r.Latency()
	if span == 0 {
		span = time.Since(r.Start)
	}
	for _, s := range r.Stages {
		what := s.Function
		if what == "" {
			what = s.Endpoint
		}
		start := s.Start.Sub(r.Start)
		t.Rows = append(t.Rows, []any{
			s.Name, s.At, what, start, s.Duration, s.Queue, known(s.ColdStart), s.Execution, string(s.Outcome),
			timeline(span, start, s.Queue, s.ColdStart, s.Duration),
		})
	}
	return t
}

// timelineWidth is the number of characters that a whole run takes.
const timelineWidth = 40

// timeline draws when a stage ran within a run and what it did meanwhile.
func timeline(span, start, queue, cold, took time.Duration) string {
	if span <= 0 {
		return ""
	}
	at := func(d time.Duration) int {
		return min(max(int(float64(d)/float64(span)*timelineWidth+0.5), 0), timelineWidth)
	}
	a, b, c, d := at(start), at(start+queue), at(start+queue+cold), at(start+took)
	d = min(max(d, c, a+1), timelineWidth)
	a = min(a, timelineWidth-1)
	b, c = min(max(b, a), d), min(max(c, b), d)
	return "|" + strings.Repeat(" ", a) + strings.Repeat(".", b-a) + strings.Repeat("~", c-b) +
		strings.Repeat("=", d-c) + strings.Repeat(" ", timelineWidth-d) + "|"
}

// known is a duration that is shown as absent when it is 0.
func known(d time.Duration) any {
	if d == 0 {
		return nil
	}
	return d
}

func qosText(q workflow.QoS) any {
	if q.Latency == 0 {
		return nil
	}
	return fmt.Sprintf("p%v ≤ %s", q.Percentile, humanDuration(q.Latency))
}
