package report_test

import (
	"fmt"
	"io"

	"github.com/aquatope/aquatope/internal/report"
)

func Example() {
	_, err := report.New("Cold starts against idle memory").
		Text("Both axes: less is better.").
		Chart(report.Chart{
			Title: "Trade-off of each policy",
			X:     report.Axis{Label: "idle memory", Unit: "GB-s"},
			Y:     report.Axis{Label: "cold starts", Log: true},
			Series: []report.Series{
				{Name: "keepalive", X: []float64{10, 20, 40}, Y: []float64{900, 500, 300}, Mark: report.LinePoints},
			},
		}).
		Table(report.Table{
			Header: []string{"policy", "cold starts"},
			Rows:   [][]any{{"keepalive", 900}},
		}).
		WriteTo(io.Discard)
	fmt.Println(err)
	// Output: <nil>
}
