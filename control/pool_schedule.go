package control

import (
	"time"

	"github.com/robfig/cron/v3"

	"github.com/aquatope/aquatope/function"
)

// scheduled is how many instances schedules want at any time from begin to the
// end of the window, the largest where several hold.
func scheduled(list []function.WarmSchedule, begin time.Time, window time.Duration) int {
	n := 0
	for _, s := range list {
		if active(s, begin) || active(s, begin.Add(window)) {
			n = max(n, s.Instances)
		}
	}
	return n
}

// active reports whether t lies between a start of the schedule and its next
// end: then the end comes before another start. A start that the clock skips on
// the day of a daylight-saving change is therefore not missed.
func active(s function.WarmSchedule, t time.Time) bool {
	start, err1 := cron.ParseStandard(s.Start)
	end, err2 := cron.ParseStandard(s.End)
	zone, err3 := time.LoadLocation(s.TimeZone)
	if err1 != nil || err2 != nil || err3 != nil {
		return false // the manifest reader refuses these
	}
	local := t.In(zone)
	nextStart, nextEnd := start.Next(local), end.Next(local)
	return !nextEnd.IsZero() && (nextStart.IsZero() || nextEnd.Before(nextStart))
}
