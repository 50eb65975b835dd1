package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/manifest"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/platform/local"
	"github.com/aquatope/aquatope/stats"
)

// measure prints the table and says whether all deviations are within the tolerance.
func measure(ctx context.Context, name, photo string, rounds int, tolerance float64) (bool, error) {
	bundle, err := manifest.Load("examples/ml-pipeline")
	if err != nil {
		return false, fmt.Errorf("%w (start it in the project's folder)", err)
	}
	dir, err := os.MkdirTemp("", "aquatope-measure-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	p, err := local.New(local.Config{DataDir: dir, Capacity: function.Resources{CPU: 16_000, Memory: 16 * function.GiB}})
	if err != nil {
		return false, err
	}
	defer p.Close(context.WithoutCancel(ctx))
	if e := p.Enforced(); !e.CPU {
		return false, fmt.Errorf("no limit of CPU can be set here: %s", e.Reason)
	}
	body, err := input(ctx, p, bundle, name, photo)
	if err != nil {
		return false, err
	}
	times, used, err := take(ctx, p, bundle, name, body, rounds)
	if err != nil {
		return false, err
	}
	return report(name, times, used, tolerance), nil
}

// input runs the stages before the function, as the workflow would.
func input(ctx context.Context, p *local.Platform, b *manifest.Bundle, name, photo string) ([]byte, error) {
	body, err := json.Marshal(map[string]string{"photo": photo})
	for _, before := range []string{"ml-resize", "ml-detect"} {
		if err != nil || before == name {
			break
		}
		var resp *platform.Response
		if resp, err = invoke(ctx, p, b, before, 1000, body); err == nil {
			body = resp.Body
		}
	}
	return body, err
}

// take returns execution times and CPU times in seconds by share.
func take(ctx context.Context, p *local.Platform, b *manifest.Bundle, name string, body []byte, rounds int) (times, used [][]float64, err error) {
	times, used = make([][]float64, len(shares)), make([][]float64, len(shares))
	for round := range rounds + 1 {
		for i, share := range shares {
			resp, err := invoke(ctx, p, b, name, share, body)
			if err != nil {
				return nil, nil, err
			}
			if round > 0 { // the first finds everything cold
				times[i] = append(times[i], resp.Observation.Execution.Seconds())
				used[i] = append(used[i], resp.Observation.CPUTime.Seconds())
			}
		}
	}
	return times, used, nil
}

func invoke(ctx context.Context, p *local.Platform, b *manifest.Bundle, name string, share function.MilliCPU, body []byte) (*platform.Response, error) {
	i := slices.IndexFunc(b.Functions, func(f function.Function) bool { return f.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("there is no function %s in the example", name)
	}
	f := b.Functions[i]
	rev := function.NewRevision(f, function.Resources{CPU: share, Memory: f.Resources.Memory})
	if err := p.Deploy(ctx, rev); err != nil {
		return nil, err
	}
	resp, err := p.Invoke(ctx, platform.Request{Function: name, Revision: rev.Name, Body: body})
	if err == nil && resp.Status != 200 {
		err = fmt.Errorf("%s answered %d: %s", name, resp.Status, resp.Body)
	}
	return resp, err
}

// report prints a row for each share. An execution that used some CPU time
// under a quota takes that time divided by the share.
func report(name string, times, used [][]float64, tolerance float64) bool {
	ok := true
	fmt.Printf("%s, lower deciles of %d executions\n", name, len(times[0]))
	fmt.Printf("%6s %12s %12s %12s %10s %18s\n", "CPU", "execution", "CPU time", "promised", "deviation", "of time with 1 CPU")
	for i, share := range shares {
		got, cpu := low(times[i]), low(used[i])
		promised := cpu / share.Cores()
		deviation := got/promised - 1
		ok = ok && math.Abs(deviation) <= tolerance
		fmt.Printf("%6s %12s %12s %12s %9.1f%% %17.2fx\n",
			share, duration(got), duration(cpu), duration(promised), 100*deviation, got/low(times[0]))
	}
	return ok
}

// low is a lower decile: others on the machine only ever add to a time.
func low(x []float64) float64 { return stats.Quantile(0.1, slices.Sorted(slices.Values(x))) }

func duration(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second)).Round(100 * time.Microsecond)
}
