package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // time zones must be known on machines that have no data of them

	"github.com/robfig/cron/v3"

	"github.com/aquatope/aquatope/function"
)

const scheduleHint = `write a list such as '[{"start": "0 8 * * 1-5", "end": "0 18 * * 1-5", "timezone": "Europe/Berlin", "instances": 3}]'`

// schedule reads when instances are kept warm: a list in JSON or YAML.
func (r *reader) schedule(n *annotation) []function.WarmSchedule {
	docs, err := readText("", []byte(n.value.text))
	if err != nil || len(docs) != 1 || docs[0] == nil || docs[0].kind != kindList {
		r.fail(n.at, n.path, scheduleHint, "is not a list of schedules")
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(canonical(docs[0])))
	d.DisallowUnknownFields()
	var list []function.WarmSchedule
	if err := d.Decode(&list); err != nil {
		r.fail(n.at, n.path, scheduleHint, "is not a list of schedules: %v", err)
		return nil
	}
	for i := range list {
		if err := checkSchedule(list[i]); err != nil {
			r.fail(n.at, fmt.Sprintf("%s[%d]", n.path, i), scheduleHint, "%v", err)
		}
	}
	return list
}

func checkSchedule(s function.WarmSchedule) error {
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil || s.TimeZone == "" || s.TimeZone == "Local" {
		return fmt.Errorf("timezone %q is not known; use a name such as Europe/Berlin or UTC", s.TimeZone)
	}
	for _, at := range [2][2]string{{"start", s.Start}, {"end", s.End}} {
		name, text := at[0], at[1]
		if len(strings.Fields(text)) != 5 || strings.Contains(text, "=") {
			return fmt.Errorf("%s %q: write five fields: minute, hour, day of month, month, day of week", name, text)
		}
		when, err := cron.ParseStandard(text)
		if err != nil {
			return fmt.Errorf("%s %q: %w", name, text, err)
		}
		if when.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, zone)).IsZero() {
			return fmt.Errorf("%s %q never comes", name, text)
		}
	}
	if s.Start == s.End {
		return errors.New("start and end are the same")
	}
	if s.Instances < 1 || s.Instances > 100_000 {
		return fmt.Errorf("instances must be from 1 to 100000, not %d", s.Instances)
	}
	return nil
}
