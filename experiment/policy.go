package experiment

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/pool/baseline"
	"github.com/aquatope/aquatope/sim/fleet"
)

// PolicyChoice is a pool policy by name, with a value of its knob.
type PolicyChoice struct {
	Name string
	// Time is the knob of policies whose knob is a time, Memory and Share of those
	// with other knobs.
	Time   time.Duration
	Memory function.Bytes
	Share  float64
}

// knob is what a policy takes after its name.
type knob int

const (
	noKnob knob = iota
	timeKnob
	memoryKnob
	shareKnob
)

// choices are the policies that can be chosen by name, with the default of the
// knob and what it means.
var choices = []struct {
	PolicyChoice
	knob knob
	what string
}{
	{PolicyChoice{Name: "keepalive", Time: baseline.DefaultKeepAlive}, timeKnob, "how long an idle instance stays"},
	{PolicyChoice{Name: "hist", Time: time.Duration(baseline.DefaultHist.Bins) * time.Minute}, timeKnob, "the range of its histograms"},
	{PolicyChoice{Name: "faascache"}, memoryKnob, "the memory that instances share, such as 8Gi; by default that of the cluster"},
	{PolicyChoice{Name: "icebreaker", Share: 0.5}, shareKnob, "the fraction from which a forecast is rounded up"},
	{PolicyChoice{Name: "autoscale", Time: baseline.DefaultAutoscale.Stable}, timeKnob, "the stable window"},
	{PolicyChoice{Name: ownPolicy}, timeKnob, "how long an instance may be idle for the price of a cold start; by default ten windows"},
	{PolicyChoice{Name: oraclePolicy}, noKnob, "none: it knows what is coming"},
}

// DescribePolicies names the policies with their knobs, one a line.
func DescribePolicies() string {
	var b strings.Builder
	for _, c := range choices {
		fmt.Fprintf(&b, "  %-18s %s\n", c.PolicyChoice, c.what)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// ParsePolicy reads a policy such as keepalive, keepalive=5m or faascache=8Gi.
func ParsePolicy(text string) (PolicyChoice, error) {
	name, value, given := strings.Cut(text, "=")
	for _, c := range choices {
		if c.Name != name {
			continue
		}
		if given {
			if err := c.set(c.knob, value); err != nil {
				return PolicyChoice{}, fmt.Errorf("policy %q: %s: %w", text, c.what, err)
			}
		}
		return c.PolicyChoice, nil
	}
	return PolicyChoice{}, fmt.Errorf("unknown policy %q: use one of\n%s", name, DescribePolicies())
}

// set turns the knob.
func (c *PolicyChoice) set(k knob, value string) (err error) {
	switch k {
	case timeKnob:
		if c.Time, err = time.ParseDuration(value); err != nil || c.Time <= 0 {
			return errors.New("give a time such as 5m")
		}
	case memoryKnob:
		c.Memory, err = function.ParseBytes(value)
	case shareKnob:
		if c.Share, err = strconv.ParseFloat(value, 64); err != nil || !(c.Share > 0 && c.Share <= 1) {
			return errors.New("give a number above 0, at most 1")
		}
	default:
		return errors.New("leave out what follows the name")
	}
	return err
}

// String writes the choice as ParsePolicy reads it.
func (c PolicyChoice) String() string {
	switch {
	case c.Time > 0:
		return c.Name + "=" + shortTime(c.Time)
	case c.Memory > 0:
		return c.Name + "=" + c.Memory.String()
	case c.Share > 0:
		return c.Name + "=" + strconv.FormatFloat(c.Share, 'g', -1, 64)
	}
	return c.Name
}

// shortTime writes 10m for what time.Duration writes as 10m0s.
func shortTime(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// stage is what a policy is made for.
type stage struct {
	functions []pool.Function
	// window is the time between plans of the policies that do not have their own.
	window time.Duration
	// week is the window that the epoch is in, Monday 00:00 being 0, and from the
	// instant from which arrivals are known.
	week       int64
	from       time.Duration
	forecaster forecast.Forecaster
	// successors are what follows each function that a run begins with; followed
	// says of which functions that foretells nearly all invocations.
	successors map[int][]pool.Successor
	followed   func(function int) bool
	future     func() (baseline.Future, error)
}

// cast is a policy made for a stage, and how it is to be run.
type cast struct {
	policy       pool.Policy
	window, lead time.Duration
}

// cast makes the policy.
func (c PolicyChoice) cast(s stage) (cast, error) {
	out := cast{window: s.window}
	ahead := min(lead, s.window/4)
	switch c.Name {
	case "keepalive":
		out.policy = baseline.KeepAlive{Timeout: c.Time}
	case "hist":
		cfg := baseline.DefaultHist
		cfg.Bins, cfg.Standard = int(max(1, c.Time/time.Minute)), c.Time
		out.policy = baseline.NewHist(len(s.functions), cfg)
	case "faascache":
		out.policy = baseline.NewFaasCache(s.functions)
	case "icebreaker":
		out.policy, out.lead = baseline.NewIceBreaker(len(s.functions), c.Share), ahead
	case "autoscale":
		cfg := baseline.DefaultAutoscale
		cfg.Stable = c.Time
		cfg.Panic = max(cfg.Stable/10, baseline.AutoscaleTick)
		out.policy, out.window = baseline.NewAutoscale(s.functions, cfg), baseline.AutoscaleTick
	case ownPolicy:
		price := c.Time
		if price == 0 {
			price = control.ReactiveWindows * s.window
		}
		// As live: every instance counts the same, whatever its memory.
		functions := slices.Clone(s.functions)
		for i := range functions {
			functions[i].Memory = 1e9
		}
		p := pool.NewAquatope(functions, s.forecaster, pool.Config{
			Price: price.Seconds(), Week: s.week, From: s.from, Window: s.window,
		})
		p.SetSuccessors(s.successors, s.followed)
		out.policy, out.lead = p, ahead
	case oraclePolicy:
		future, err := s.future()
		if err != nil {
			return out, err
		}
		out.policy, out.window = baseline.NewOracle(s.functions, future, oraclePrice), baseline.OracleStep
	default:
		panic("BUG: experiment: policy " + c.Name + " cannot be made")
	}
	return out, nil
}

// nodes are the machines for a policy, given those that there are: a memory to
// share is one machine.
func (c PolicyChoice) nodes(given []fleet.Node) []fleet.Node {
	if c.Memory > 0 {
		return []fleet.Node{{Memory: c.Memory}}
	}
	return given
}

// oraclePrice lets no cold start happen that can be avoided.
const oraclePrice = 1e9
