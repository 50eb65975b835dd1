package local_test

import (
	"testing"

	"github.com/aquatope/aquatope/platform/local"
)

func TestDiagnose(t *testing.T) {
	before := len(groups("diagnose"))
	p, _ := world(t, local.Config{})
	limits := map[string]bool{}
	for _, c := range local.Diagnose(t.Context()) {
		if c.Detail == "" || (!c.OK && c.Hint == "") {
			t.Errorf("%+v says too little", c)
		}
		limits[c.Name] = c.OK
	}
	e := p.Enforced()
	if limits["cpu limits"] != e.CPU || limits["memory limits"] != e.Memory {
		t.Errorf("diagnosed %v, but a platform enforces %+v", limits, e)
	}
	if n := len(groups("diagnose")); n != before {
		t.Error("a control group is left")
	}
}
