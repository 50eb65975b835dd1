// Command trainprior trains the prior model on a synthetic trace and writes it to
// the named file. The trace and the training are seeded: the same program makes
// the same file.
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/hurdle"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/trace"
)

const (
	seed      = 20240401
	functions = 500
	days      = 9
	rows      = 400_000
)

func main() {
	if err := train(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "trainprior:", err)
		os.Exit(1)
	}
}

func train(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: trainprior FILE")
	}
	t, err := trace.Generator{Functions: functions, Days: days}.Generate(stats.Stream(seed, "prior/trace"))
	if err != nil {
		return err
	}
	var histories []*forecast.History
	for i := range t.Functions {
		// Half of them are known for a short time only, like functions that
		// have just been deployed.
		span := t.Covered
		if i%2 == 1 {
			span.From = span.To - trace.MinutesPerDay/2
		}
		histories = append(histories, forecast.FromTrace(t, &t.Functions[i], span))
	}
	m, err := hurdle.Learner{Rows: rows}.Train(histories, forecast.Budget{}, stats.Stream(seed, "prior/train"))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := m.(*hurdle.Model).Save(&b); err != nil {
		return err
	}
	return os.WriteFile(args[0], b.Bytes(), 0o644)
}
