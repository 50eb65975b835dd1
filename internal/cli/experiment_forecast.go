package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/internal/report"
)

func newExperimentForecastCmd(env *Env) *cobra.Command {
	var dir, file string
	o := experiment.ForecastOptions{}
	cmd := &cobra.Command{
		Use:   "forecast --trace DIR",
		Short: "How well each forecaster predicts a trace",
		Long: `Trains every forecaster on the first half of the covered minutes of a trace and
scores its predictions of the second half, one minute ahead. Losses are scaled
by the function's mean demand and averaged over functions. coverage90 is the
share of minutes at or below the predicted 0.9-quantile, randomised as is right
for counts; 0.9 is perfect. Training is cut short at --train-limit and says so.`,
		Example: "  aquatope experiment forecast --trace traces/azure2019\n  aquatope experiment forecast --trace traces/azure2019 --models hurdle,last-value -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return Usagef("name the folder of a trace: --trace DIR")
			}
			if o.TrainLimit <= 0 {
				return Usagef("--train-limit must be positive, not %s", o.TrainLimit)
			}
			if err := amongAll("--models", o.Models, experiment.ForecastModels()); err != nil {
				return err
			}
			t, err := loadTrace(env, dir)
			if err != nil {
				return err
			}
			bar := env.Progress("forecast", 1000)
			o.Progress = func(done float64, note string) { bar.Set(int64(1000*done), note) }
			c, err := experiment.Forecast(cmd.Context(), t, o)
			bar.Done("")
			if err != nil {
				return err
			}
			if file != "" {
				if err := env.writePage(file, forecastReport(dir, c)); err != nil {
					return err
				}
			}
			return env.Print("ForecastExperiment", c, forecastTable(c))
		},
	}
	cmd.Flags().StringVar(&dir, "trace", "", "folder with a trace in the Azure 2019 format")
	cmd.Flags().StringSliceVar(&o.Models, "models", nil, "forecasters to compare: "+strings.Join(experiment.ForecastModels(), ", ")+" (default all)")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 1, "seed of everything random")
	cmd.Flags().DurationVar(&o.TrainLimit, "train-limit", 5*time.Minute, "longest training of one forecaster")
	cmd.Flags().StringVar(&file, "report", "", "also write an HTML report to this file")
	return cmd
}

func forecastTable(c *experiment.ForecastComparison) Table {
	t := Table{
		Title:   fmt.Sprintf("trained on minutes %d to %d, tested on %d to %d", c.Train.From, c.Train.To-1, c.Test.From, c.Test.To-1),
		Columns: []string{"model", "default", "functions", "pinball 0.9", "crps", "smape", "coverage 0.9", "training", "micros per forecast"},
		Note:    strings.Join(c.Notes, "\n"),
	}
	for _, r := range c.Results {
		t.Rows = append(t.Rows, []any{
			r.Model, r.Default, r.Functions, r.PinballLoss90, r.CRPS, r.SMAPE, r.Coverage90,
			time.Duration(r.TrainSeconds * float64(time.Second)), r.InferMicros,
		})
	}
	return t
}

func forecastReport(dir string, c *experiment.ForecastComparison) *report.Report {
	t := report.Table{Header: []string{"model", "default", "functions", "pinball 0.9", "CRPS", "SMAPE (%)", "coverage of 0.9", "training (s)", "forecast (µs)"}}
	for _, r := range c.Results {
		t.Rows = append(t.Rows, []any{r.Model, r.Default, r.Functions, r.PinballLoss90, r.CRPS, r.SMAPE, r.Coverage90, r.TrainSeconds, r.InferMicros})
	}
	return report.New("Forecasts of " + dir).
		Text(fmt.Sprintf("Every model was trained on minutes %d to %d of the trace and predicted minutes %d to %d one ahead. "+
			"Losses are divided by the function's mean demand and averaged over functions: less is better. "+
			"Coverage is randomised, as is right for counts: 0.9 is perfect.", c.Train.From, c.Train.To-1, c.Test.From, c.Test.To-1)).
		Text(c.Notes...).
		Table(t).
		Preformatted("aquatope experiment forecast --trace " + dir)
}
