package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/store"
)

// whatIfConfig reads the flags.
func (f simulateFlags) whatIfConfig() (c experiment.WhatIfConfig, err error) {
	now := time.Now()
	c = experiment.WhatIfConfig{Seed: f.seed}
	if c.Since, err = moment(f.since, now); err != nil {
		return c, Usagef("--since %q: %w", f.since, err)
	}
	if f.until != "" {
		if c.Until, err = moment(f.until, now); err != nil {
			return c, Usagef("--until %q: %w", f.until, err)
		}
	}
	if !c.Until.IsZero() && !c.Since.Before(c.Until) {
		return c, Usagef("--since is not before --until")
	}
	if c.Price, err = function.LookupPrice(f.price); err != nil {
		return c, Usagef("--price: %w", err)
	}
	if c.Policies, err = f.chosen("aquatope"); err != nil {
		return c, err
	}
	c.Nodes, err = f.cluster()
	return c, err
}

// moment reads a time ago, such as 7d or 90m, or a moment.
func moment(text string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && n > 0 && n < 36500 {
			return now.Add(-time.Duration(n * 24 * float64(time.Hour))), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	return time.Time{}, errors.New("give a time ago such as 7d, 12h or 30m, or a moment such as 2026-03-01T00:00:00Z")
}

// readRecord reads what a server recorded.
func readRecord(ctx context.Context, env *Env, f simulateFlags, until time.Time) (*experiment.Record, error) {
	file := filepath.Join(env.path(f.data), "aquatope.db")
	r, err := store.OpenReader(ctx, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no record in %s\n  name the data folder of the server with --data, or make a record: aquatope up, deploy, load", f.data)
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	record, err := experiment.ReadRecord(ctx, r, until)
	if err != nil {
		return nil, err
	}
	if f.current != "" {
		p, err := experiment.ParsePolicy(f.current)
		if err != nil {
			return nil, Usagef("--current: %w", err)
		}
		record.InForce, record.Journal = p, true
	}
	return record, nil
}

// advice is what to do about an error of a replay.
func (f simulateFlags) advice(err error) string {
	if !errors.Is(err, experiment.ErrNoRuns) {
		return ""
	}
	return fmt.Sprintf(" since %s in %s\n  look further back with --since, name another folder with --data, or run something: aquatope load", f.since, f.data)
}

func whatIfTables(r *experiment.WhatIfReport) []Table {
	total := Table{
		Title: fmt.Sprintf("%d runs of %d functions, %s to %s", r.Recorded.Total.Runs, r.Functions,
			human(r.Since), human(r.Until)),
		Columns: []string{"policy", "violations", "p50", "p95", "p99", "cold starts", "idle", "serving", "idling", "cost", "rejected"},
	}
	x := r.Recorded.Total
	total.Rows = append(total.Rows, []any{
		"(what happened)", rate(x.Violations, x.Runs), x.P50, x.P95, x.P99, rate(x.ColdStarts, x.Invocations), nil, money(x.BusyCost), nil, nil, x.Rejected,
	})
	for _, p := range r.Replays {
		x := p.Total
		name := p.Policy
		if p.InForce {
			name += " (was in force)"
		}
		total.Rows = append(total.Rows, []any{
			name, rate(x.Violations, x.Runs), x.P50, x.P95, x.P99, rate(x.ColdStarts, x.Invocations),
			time.Duration(p.Idle.InstanceSeconds * float64(time.Second)), money(x.BusyCost), money(p.Idle.Cost), money(p.Cost()), x.Rejected,
		})
	}
	e := r.Error
	notes := []string{fmt.Sprintf(
		"Prices: %s. The simulator's error, from the replay of what was in force: cold starts %s, violations %s, p50 %s, p95 %s, cost of serving %s. Idle time is not recorded.",
		r.Price, signedPercent(e.ColdStarts), signedPercent(e.Violations), signedPercent(e.P50), signedPercent(e.P95), signedPercent(e.BusyCost))}
	total.Note = strings.Join(append(notes, r.Notes...), "\n")
	return append([]Table{total}, eachTable(r))
}

// eachTable breaks the outcomes down by workflow.
func eachTable(r *experiment.WhatIfReport) Table {
	t := Table{Title: "By workflow", Columns: []string{"workflow", "policy", "runs", "violations", "p50", "p95", "p99", "cold starts", "serving"}}
	for i, was := range r.Recorded.Each {
		name := was.Workflow
		if name == "" {
			name = "function " + was.Function
		}
		row := func(policy string, x experiment.Outcome) {
			t.Rows = append(t.Rows, []any{name, policy, x.Runs, rate(x.Violations, x.Runs), x.P50, x.P95, x.P99, rate(x.ColdStarts, x.Invocations), money(x.BusyCost)})
		}
		row("(what happened)", was)
		for _, p := range r.Replays {
			row(p.Policy, p.Each[i])
		}
	}
	return t
}

func rate(n, of int) string {
	if of == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%.1f%%)", n, 100*float64(n)/float64(of))
}

func signedPercent(share float64) string { return fmt.Sprintf("%+.1f %%", 100*share) }
