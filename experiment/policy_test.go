package experiment_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/function"
)

func TestParsePolicy(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]experiment.PolicyChoice{
		"keepalive":      {Name: "keepalive", Time: 10 * time.Minute},
		"keepalive=90s":  {Name: "keepalive", Time: 90 * time.Second},
		"hist":           {Name: "hist", Time: 4 * time.Hour},
		"faascache":      {Name: "faascache"},
		"faascache=8Gi":  {Name: "faascache", Memory: 8 * function.GiB},
		"icebreaker=0.2": {Name: "icebreaker", Share: 0.2},
		"autoscale":      {Name: "autoscale", Time: time.Minute},
		"aquatope":       {Name: "aquatope"},
		"aquatope=5m":    {Name: "aquatope", Time: 5 * time.Minute},
		"oracle":         {Name: "oracle"},
	} {
		got, err := experiment.ParsePolicy(text)
		if err != nil || got != want {
			t.Errorf("%s is %+v, %v; want %+v", text, got, err, want)
			continue
		}
		if again, err := experiment.ParsePolicy(got.String()); err != nil || again != got {
			t.Errorf("%s is written as %s, which is read as %+v, %v", text, got, again, err)
		}
	}
	for text, want := range map[string]string{
		"x": "use one of\n  keepalive=10m", "": "unknown policy", "keepalive=0s": "such as 5m", "keepalive=": "such as 5m",
		"faascache=-1": "memory", "icebreaker=1.1": "at most 1", "icebreaker=NaN": "at most 1", "oracle=1": "leave out",
	} {
		if _, err := experiment.ParsePolicy(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", text, err, want)
		}
	}
}
