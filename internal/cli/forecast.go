package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/server/api"
)

func newForecastCmd(env *Env) *cobra.Command {
	var past, ahead int
	var file string
	cmd := &cobra.Command{
		Use:     "forecast FUNCTION",
		GroupID: groupRun,
		Short:   "Show how often a function is expected to be called, and how right that was",
		Long: `Shows, window by window, the band in which the number of invocations was expected
with 90 % probability, and how many came; then the bands of the windows ahead.
In the plot - is the band, | its median, * what came, and ! what came outside
the band.

Bands are those that were forecast before the window began, or after a restart
of the server would have been, from what it remembers. With --pool off there are
none.`,
		Example: "  aquatope forecast resize\n  aquatope forecast resize --past 60 --ahead 5 -o csv\n  aquatope forecast resize --past 240 --report resize.html",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if past < 0 || past > 240 || ahead < 1 || ahead > 60 {
				return Usagef("--past is from 0 to 240, --ahead from 1 to 60")
			}
			c, err := env.client()
			if err != nil {
				return err
			}
			f, err := c.Forecast(cmd.Context(), args[0], past, ahead)
			if err != nil {
				return err
			}
			if file != "" {
				if err := env.writePage(file, bandsReport(f)); err != nil {
					return err
				}
				env.Notef("report: %s", file)
			}
			return env.Print("Forecast", f, bandsTable(f))
		},
	}
	cmd.Flags().IntVar(&past, "past", 30, "past windows to show")
	cmd.Flags().IntVar(&ahead, "ahead", 10, "windows ahead to show")
	cmd.Flags().StringVar(&file, "report", "", "write an HTML report to this file")
	return env.serverFlag(cmd)
}

func bandsTable(f api.FunctionForecast) Table {
	t := Table{
		Title:   "Invocations of " + f.Function + " in windows of " + humanDuration(f.Window),
		Columns: []string{"window", "came", "5 %", "50 %", "95 %", "plot"},
	}
	most := 1.0
	for _, p := range f.Past {
		most = max(most, p.High, float64(p.Came))
	}
	for _, a := range f.Ahead {
		most = max(most, a.High)
	}
	clock := func(b api.ForecastBand) string { return b.Begin.Local().Format(time.TimeOnly) }
	for _, p := range f.Past {
		t.Rows = append(t.Rows, []any{clock(p.ForecastBand), p.Came, p.Low, p.Median, p.High, plotBand(p.ForecastBand, float64(p.Came), most)})
	}
	for _, a := range f.Ahead {
		t.Rows = append(t.Rows, []any{clock(a), "", a.Low, a.Median, a.High, plotBand(a, -1, most)})
	}
	switch {
	case len(f.Ahead) == 0:
		t.Note = "There is no forecast: the server runs with --pool off, or has no model."
	case f.Pool != nil && f.Pool.Forecast != nil:
		c := f.Pool.Forecast
		t.Note = fmt.Sprintf("%.0f %% of the last windows lay in the band of nominally 90 %% (%d scored): trust %s. The plot reaches from 0 to %g.",
			100*c.Coverage, c.Scored, c.Trust, most)
	}
	return t
}

// plotBand draws a band on a line from 0 to most; came is negative for windows
// that are not over.
func plotBand(b api.ForecastBand, came, most float64) string {
	const width = 40
	at := func(v float64) int { return min(max(int(v/most*(width-1)+0.5), 0), width-1) }
	line := []byte(strings.Repeat(" ", width))
	for i := at(b.Low); i <= at(b.High); i++ {
		line[i] = '-'
	}
	line[at(b.Median)] = '|'
	switch {
	case came < 0:
	case came < b.Low || came > b.High:
		line[at(came)] = '!'
	default:
		line[at(came)] = '*'
	}
	return strings.TrimRight(string(line), " ")
}
