package cli

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/trace"
)

func newTraceCmd(env *Env) *cobra.Command {
	return parent(&cobra.Command{
		Use:     "trace",
		GroupID: groupStudy,
		Short:   "Look at invocation traces, or make synthetic ones",
	}, newTraceGenerateCmd(env), newTraceSummarizeCmd(env))
}

func newTraceSummarizeCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "summarize DIR|FILE",
		Short: "Describe a trace in a few figures",
		Long: `Reads a folder in the Azure 2019 format (files as published, one or many days,
plain or .gz) or a file in the Azure 2021 format, and says what is in it and
what is not. Bad rows are reported with file, line and column.`,
		Example: "  aquatope trace summarize traces/azure2019\n  aquatope trace summarize AzureFunctionsInvocationTrace2021.csv -o json",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			t, err := loadTrace(env, args[0])
			if err != nil {
				return err
			}
			s := t.Summarize()
			return env.Print("TraceSummary", s, summaryTable(s))
		},
	}
}

// loadTrace reads a folder of trace files in the 2019 format or a file in the
// 2021 format.
func loadTrace(env *Env, path string) (*trace.Trace, error) {
	full := env.path(path)
	info, err := os.Stat(full)
	if err != nil {
		return nil, fmt.Errorf("reading the trace: %w", err)
	}
	if !info.IsDir() {
		dir, name := filepath.Split(full)
		r, err := trace.OpenFile(os.DirFS(dir), name)
		if err != nil {
			return nil, err
		}
		defer r.Close()
		return trace.LoadInvocations(path, r)
	}
	f, err := trace.OpenFolder(os.DirFS(full))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f.Load()
}

func summaryTable(s trace.Summary) Table {
	var triggers []string
	for _, k := range slices.Sorted(maps.Keys(s.Triggers)) {
		triggers = append(triggers, fmt.Sprintf("%s %d", k, s.Triggers[k]))
	}
	return Table{
		Columns: []string{"what", "value"},
		Rows: [][]any{
			{"functions", s.Functions},
			{"apps", s.Apps},
			{"triggers", strings.Join(triggers, ", ")},
			{"minutes covered", fmt.Sprintf("%d to %d of %d", s.Covered.From, s.Covered.To-1, s.Minutes)},
			{"invocations", s.Invocations},
			{"busiest minute", s.PeakMinute},
			{"median per function and day", s.MedianPerDay},
			{"function-minutes with invocations", fmt.Sprintf("%.2f %%", 100*s.ActiveShare)},
			{"functions with less than one an hour", s.Rare},
			{"functions with one a minute or more", s.Busy},
			{"functions with known durations", s.Durations},
			{"median duration", fmt.Sprintf("%.4g ms", s.MedianDurationMS)},
			{"functions with known memory", s.Memories},
			{"median memory", fmt.Sprintf("%.4g MB", s.MedianMemoryMB)},
		},
		Note: strings.Join(s.Notes, "\n"),
	}
}

func newTraceGenerateCmd(env *Env) *cobra.Command {
	g := trace.Generator{}
	var seed uint64
	var dir string
	cmd := &cobra.Command{
		Use:   "generate --out DIR",
		Short: "Write a synthetic trace in the Azure 2019 format",
		Long: `Makes a trace with daily and weekly rhythm, timers, bursts, rare and short-lived
functions, and apps whose functions call each other, and writes it in the format
of the Azure 2019 trace. Equal flags give equal files.`,
		Example: "  aquatope trace generate --out /tmp/trace --functions 200 --days 7 --seed 3",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if dir == "" {
				return Usagef("name the folder to write: --out DIR")
			}
			t, err := g.Generate(rand.New(rand.NewPCG(seed, 0)))
			if err != nil {
				return Usagef("%w", err)
			}
			if err := writeTrace(env.path(dir), t, g.Days); err != nil {
				return err
			}
			s := t.Summarize()
			return env.Print("TraceSummary", s, summaryTable(s))
		},
	}
	cmd.Flags().StringVar(&dir, "out", "", "folder to write to; made if it does not exist")
	cmd.Flags().IntVar(&g.Functions, "functions", 100, "number of functions")
	cmd.Flags().IntVar(&g.Days, "days", 2, "number of days")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "seed of everything random")
	return cmd
}

// writeTrace writes a trace in the 2019 format.
func writeTrace(dir string, t *trace.Trace, days int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("writing the trace: %w", err)
	}
	write := func(name string, to func(io.Writer) error) error {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("writing the trace: %w", err)
		}
		if err := to(f); err != nil {
			f.Close()
			return err
		}
		return f.Close()
	}
	for d := range days {
		name := fmt.Sprintf("invocations_per_function_md.anon.d%02d.csv", d+1)
		if err := write(name, func(w io.Writer) error { return t.WriteCounts(w, d, false) }); err != nil {
			return err
		}
	}
	if err := write("function_durations_percentiles.anon.all.csv", t.WriteDurations); err != nil {
		return err
	}
	return write("function_memory_percentiles.all.csv", t.WriteMemory)
}
