package control_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
)

// Floors follow the clock on the wall, on the days of daylight-saving changes too.
func TestScheduleZones(t *testing.T) {
	office := function.WarmSchedule{Start: "0 8 * * 1-5", End: "0 18 * * 1-5", TimeZone: "Europe/Berlin", Instances: 1}
	night := function.WarmSchedule{Start: "30 2 * * *", End: "30 4 * * *", TimeZone: "Europe/Berlin", Instances: 1}
	for _, c := range []struct {
		name     string
		schedule function.WarmSchedule
		at       string // UTC
		want     int
	}{
		{"winter, before eight", office, "2026-03-27T06:30:00Z", 0},
		{"winter, after eight", office, "2026-03-27T07:30:00Z", 1},
		{"summer, before eight", office, "2026-03-30T05:30:00Z", 0},
		{"summer, after eight", office, "2026-03-30T06:30:00Z", 1},
		{"summer, before six", office, "2026-03-30T15:30:00Z", 1},
		{"summer, after six", office, "2026-03-30T16:30:00Z", 0},
		{"saturday", office, "2026-03-28T10:00:00Z", 0},
		// On 29 March the clock goes from two to three: half past two is skipped.
		{"the start is skipped", night, "2026-03-29T02:00:00Z", 1}, // four o'clock
		{"after its end", night, "2026-03-29T03:30:00Z", 0},        // half past five
		// On 25 October it goes from three back to two: half past two comes twice.
		{"the start comes twice", night, "2026-10-25T01:45:00Z", 1}, // a quarter to three, again
		{"after the end", night, "2026-10-25T04:00:00Z", 0},         // five o'clock
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		w := newScripted()
		w.revisions = []function.Revision{revision("f", function.ScaleBounds{Schedule: []function.WarmSchedule{c.schedule}})}
		p := control.NewPool(w.config(control.ModeOff, nil), at)
		if err := p.Step(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		if got := w.scales["f-1"].Warm; got != c.want {
			t.Errorf("%s: at %s %d warm, want %d", c.name, c.at, got, c.want)
		}
	}
}
