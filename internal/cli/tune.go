package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/server/client"
)

type tuneFlags struct {
	request      api.TuneRequest
	data         []string
	lock, report string
}

func newTuneCmd(env *Env) *cobra.Command {
	var f tuneFlags
	cmd := &cobra.Command{
		Use:     "tune WORKFLOW",
		GroupID: groupDecide,
		Short:   "Find the cheapest CPU and memory that keep a workflow's promise",
		Long: `Runs the workflow with different CPU and memory for its functions, learns from
every invocation, and recommends the cheapest configuration that keeps the
promise. The runs go to instances of their own, one run at a time; nothing that
serves is touched unless --apply is given. Their inputs are the payloads that the
workflow or its first function declares, by their weights, or those given with -d.

Ctrl-C stops it and keeps what was learnt: tuning again goes on from there, also
after a restart of the server and for another promise. Trials of code that has
changed since are not used.

With --online, live runs are used instead of runs made for it: at most --share of
them, only while the runs so far have violated the promise less often than it
allows, and only with resources that are believed to keep it.

Exits with 3 if no configuration keeps the promise, and with 4 if the budget was
used up before one was found.`,
		Example: `  aquatope tune ml-pipeline
  aquatope tune ml-pipeline --qos 800ms --percentile 95 --budget 40 --apply
  aquatope tune chain -d @monday.json -d @friday.json --lock aquatope.lock.yaml --report tune.html`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("share") && !f.request.Online {
				return Usagef("--share says nothing without --online")
			}
			return tune(cmd.Context(), env, args[0], f)
		},
	}
	fl := cmd.Flags()
	fl.DurationVar(&f.request.Latency, "qos", 0, "latency to promise (default the workflow's)")
	fl.Float64Var(&f.request.Percentile, "percentile", 0, "percent of runs that end within it (default the workflow's, or 95)")
	fl.IntVar(&f.request.Budget, "budget", 25, "runs of the workflow in all, those of earlier sessions included")
	fl.StringVar(&f.request.Strategy, "strategy", "structured", "how to search: structured, blackbox or blackbox-log")
	fl.StringArrayVarP(&f.data, "data", "d", nil, "input of the runs: JSON, @file or @- for stdin; may be repeated (default the declared payloads)")
	fl.BoolVar(&f.request.Fresh, "fresh", false, "do not use the runs of earlier sessions")
	fl.BoolVar(&f.request.Online, "online", false, "try resources on a share of the live runs, within the error budget; with --apply also watch for drift afterwards and tune again")
	fl.Float64Var(&f.request.Share, "share", 0.1, "with --online: the largest share of live runs that are trials")
	fl.BoolVar(&f.request.Apply, "apply", false, "deploy the recommendation if it keeps the promise")
	fl.StringVar(&f.lock, "lock", "", "write the recommendation to this file, which deploy -f takes together with the manifests")
	fl.StringVar(&f.report, "report", "", "also write an HTML report to this file")
	return env.serverFlag(cmd)
}

func tune(ctx context.Context, env *Env, name string, f tuneFlags) error {
	if f.request.Budget < 1 || f.request.Budget > 1000 {
		return Usagef("--budget must be between 1 and 1000, not %d", f.request.Budget)
	}
	if f.request.Latency < 0 {
		return Usagef("--qos must be positive, not %s", f.request.Latency)
	}
	if p := f.request.Percentile; !(p >= 0 && p < 100) {
		return Usagef("--percentile must be between 0 and 100, not %v", p)
	}
	if f.request.Online && !(f.request.Share > 0 && f.request.Share <= 0.5) {
		return Usagef("--share must be above 0 and at most 0.5, not %v", f.request.Share)
	}
	for _, d := range f.data {
		body, err := env.payload(d)
		if err != nil {
			return err
		}
		f.request.Inputs = append(f.request.Inputs, api.WeightedInput{Body: json.RawMessage(body)})
	}
	if !f.request.Online {
		f.request.Share = 0
	}
	c, err := env.client()
	if err != nil {
		return err
	}
	t, err := c.StartTuning(ctx, name, f.request)
	if err != nil {
		return err
	}
	if t.Resumed > 0 {
		env.Notef("going on with %d runs of earlier sessions (--fresh would not use them)", t.Resumed)
	}
	t, err = watchTuning(ctx, env, c, name, t)
	if err != nil {
		return err
	}
	if t.Phase == api.PhaseFailed {
		return errors.New("tuning " + name + ": " + t.Message)
	}
	return finishTuning(env, t, f)
}

// tuneInterval is how often the state of a session is read.
const tuneInterval = 250 * time.Millisecond

// watchTuning shows progress until the session ends. When ctx is done it stops
// the session and waits until nothing of it runs any more.
func watchTuning(ctx context.Context, env *Env, c *client.Client, name string, t api.Tuning) (api.Tuning, error) {
	bar := env.Progress("tune "+name, int64(max(1, t.Budget)))
	defer bar.Done("")
	for t.Phase == api.PhaseRunning {
		bar.Set(int64(t.Runs), tuneNote(t))
		select {
		case <-ctx.Done():
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			defer cancel()
			if stopped, err := c.StopTuning(stop, name); err != nil {
				bar.Done("the server could not be told to stop tuning %s: %v", name, err)
			} else {
				bar.Done("stopped after %d runs, which are kept: aquatope tune %s goes on from there", stopped.Runs, name)
			}
			return t, ctx.Err()
		case <-time.After(tuneInterval):
		}
		var err error
		if t, err = c.Tuning(ctx, name); err != nil && ctx.Err() == nil {
			return t, err
		} else if err != nil {
			t.Phase = api.PhaseRunning
		}
	}
	if t.Phase == api.PhaseStopped {
		return t, errors.New("tuning " + name + " was " + t.Message)
	}
	return t, nil
}

// tuneNote says in one line where a session stands.
func tuneNote(t api.Tuning) string {
	note := t.Message
	if r := t.Recommendation; r != nil && r.Promised != nil && r.Cost != nil {
		verdict := map[string]string{"feasible": "keeps", "infeasible": "cannot keep", "unknown": "may not keep"}[r.Verdict]
		note = fmt.Sprintf("%d left; best so far %s the promise: p%v %s (%s to %s), %.3g $ per 1M runs",
			max(0, t.Budget-t.Runs), verdict, t.QoS.Percentile, millis(r.Promised.Mean), millis(r.Promised.Low), millis(r.Promised.High), 1e6*r.Cost.Mean)
	}
	if o := t.Online; o != nil {
		note += fmt.Sprintf("; %d live runs, %d of them trials, %d broke the promise", o.Runs, o.Trials, o.Violations)
	}
	if t.Disturbance != "" {
		note += "; " + t.Disturbance
	}
	return note
}

func millis(ms float64) string { return humanDuration(time.Duration(ms * float64(time.Millisecond))) }

// finishTuning prints and writes what a session came to.
func finishTuning(env *Env, t api.Tuning, f tuneFlags) error {
	r := t.Recommendation
	if r == nil {
		return errors.New("tuning " + t.Workflow + " ended without a recommendation")
	}
	if f.lock != "" && r.Verdict == "feasible" {
		if err := writeFile(env.path(f.lock), func(w io.Writer) error { return writeLock(w, t.Workflow, r) }); err != nil {
			return fmt.Errorf("writing the lock file: %w", err)
		}
	}
	if f.report != "" {
		if err := env.writePage(f.report, tuneReport(t)); err != nil {
			return err
		}
	}
	if err := env.Print("Tuning", t, choicesTable(t.Workflow, r), predictionTable(r)); err != nil {
		return err
	}
	if t.Disturbed > 0 {
		env.Notef("%d of %d runs were disturbed by other work on this machine, after up to three tries each: tune again with --fresh when it does less",
			t.Disturbed, t.Runs)
	}
	switch r.Verdict {
	case "infeasible":
		return Exit(ExitQoS, errors.New(infeasible(r)))
	case "unknown":
		return Exit(ExitBudget, fmt.Errorf("the budget of %d runs was used up before a configuration was found that surely keeps the promise: the best is at %s; raise --budget",
			t.Budget, promisedText(r)))
	}
	if o := t.Online; o != nil {
		env.Notef("%d live runs, of which %d tried other resources; %d violated the promise", o.Runs, o.Trials, o.Violations)
	}
	if t.Phase == api.PhaseWatching {
		env.Notef("watching for drift from now on; what is found is in the journal")
	}
	switch {
	case t.Applied:
		env.Notef("applied: the functions of %s have these resources now", t.Workflow)
	case f.lock != "":
		env.Notef("aquatope deploy -f MANIFESTS -f %s deploys it", f.lock)
	default:
		env.Notef("nothing was changed: --apply deploys it, --lock FILE writes it for deploy -f")
	}
	return nil
}

func infeasible(r *api.Recommendation) string {
	if r.Promised == nil {
		return "the promise cannot be kept: " + r.Reason
	}
	if r.Verdict == "unknown" {
		return fmt.Sprintf("too little is known to say that %v is kept: the best has %s; tune with a larger --budget", qosText(r.QoS), promisedText(r))
	}
	return fmt.Sprintf("no configuration keeps %v; the best possible has %s, and %s takes most of its time", qosText(r.QoS), promisedText(r), r.Blocker)
}

func promisedText(r *api.Recommendation) string {
	if r.Promised == nil {
		return "an unknown latency"
	}
	return fmt.Sprintf("p%v %s (%s to %s)", r.QoS.Percentile, millis(r.Promised.Mean), millis(r.Promised.Low), millis(r.Promised.High))
}
