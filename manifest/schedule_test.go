package manifest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/manifest"
)

func scheduled(text string) []byte {
	return fmt.Appendf(nil, `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: f
  annotations:
    aquatope.dev/command: /bin/true
    aquatope.dev/warm-schedule: %q
spec: {template: {spec: {containers: [{resources: {limits: {cpu: 1, memory: 128Mi}}}]}}}
`, text)
}

func TestSchedule(t *testing.T) {
	b, err := manifest.Parse("f.yaml", scheduled(`[{"start": "0 8 * * 1-5", "end": "0 18 * * 1-5", "timezone": "Europe/Berlin", "instances": 3}]`))
	if err != nil {
		t.Fatal(err)
	}
	want := []function.WarmSchedule{{Start: "0 8 * * 1-5", End: "0 18 * * 1-5", TimeZone: "Europe/Berlin", Instances: 3}}
	if diff := cmp.Diff(want, b.Functions[0].Scale.Schedule); diff != "" {
		t.Error(diff)
	}
	text, err := manifest.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	again, err := manifest.Parse("again.yaml", text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if diff := cmp.Diff(want, again.Functions[0].Scale.Schedule); diff != "" {
		t.Error(diff)
	}
}

func TestScheduleRefused(t *testing.T) {
	entry := func(start, end, zone, n string) string {
		return fmt.Sprintf(`[{"start": %q, "end": %q, "timezone": %q, "instances": %s}]`, start, end, zone, n)
	}
	for text, want := range map[string]string{
		`3`: "not a list",
		`[{"start": "0 8 * * *", "stop": "0 9 * * *"}]`:      "unknown field",
		entry("0 8 * * *", "0 9 * * *", "Mars/Olympus", "1"): "timezone",
		entry("0 8 * * *", "0 9 * * *", "", "1"):             "timezone",
		entry("0 8 * *", "0 9 * * *", "UTC", "1"):            "five fields",
		entry("TZ=UTC", "0 9 * * *", "UTC", "1"):             "five fields",
		entry("61 8 * * *", "0 9 * * *", "UTC", "1"):         "start",
		entry("0 8 30 2 *", "0 9 * * *", "UTC", "1"):         "never comes",
		entry("0 8 * * *", "0 8 * * *", "UTC", "1"):          "the same",
		entry("0 8 * * *", "0 9 * * *", "UTC", "0"):          "instances",
		entry("0 8 * * *", "0 9 * * *", "UTC", "1.5"):        "not a list",
	} {
		_, err := manifest.Parse("f.yaml", scheduled(text))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "warm-schedule") {
			t.Errorf("%s: %v, want a word of %q", text, err, want)
		}
	}
}
