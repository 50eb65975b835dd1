package manifest

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"
)

// maxDuration is the longest duration: ten years.
const maxDuration = 10 * 365 * 24 * time.Hour

var isoDuration = regexp.MustCompile(
	`^P(?:([0-9.]+)Y)?(?:([0-9.]+)M)?(?:([0-9.]+)W)?(?:([0-9.]+)D)?(?:T(?:([0-9.]+)H)?(?:([0-9.]+)M)?(?:([0-9.]+)S)?)?$`)

// isoUnits are the units of isoDuration's groups; 0 for those of no fixed length.
var isoUnits = []time.Duration{0, 0, 7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second}

// parseISO reads a duration of ISO 8601, such as PT1M30.5S. Years and months
// are refused because their length varies.
func parseISO(s string) (time.Duration, error) {
	m := isoDuration.FindStringSubmatch(s)
	if m == nil || len(s) > 64 || strings.HasSuffix(s, "T") || s == "P" {
		return 0, fmt.Errorf("%q is not an ISO 8601 duration", s)
	}
	sum := new(big.Rat)
	for i, unit := range isoUnits {
		if m[i+1] == "" {
			continue
		}
		if unit == 0 {
			return 0, fmt.Errorf("%q counts years or months, which vary in length", s)
		}
		v, ok := new(big.Rat).SetString(m[i+1])
		if !ok || strings.Contains(m[i+1], ".") && !regexp.MustCompile(`^[0-9]+\.[0-9]+$`).MatchString(m[i+1]) {
			return 0, fmt.Errorf("%q is not an ISO 8601 duration", s)
		}
		sum.Add(sum, v.Mul(v, new(big.Rat).SetInt64(int64(unit))))
	}
	if sum.Cmp(new(big.Rat).SetInt64(int64(maxDuration))) > 0 {
		return 0, fmt.Errorf("%q is longer than ten years", s)
	}
	// Fractions of a nanosecond are cut off.
	return time.Duration(new(big.Int).Quo(sum.Num(), sum.Denom()).Int64()), nil
}

// formatISO writes a duration so that parseISO reads it back exactly.
func formatISO(d time.Duration) string {
	s := fmt.Sprintf("PT%d.%09d", d/time.Second, d%time.Second)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") + "S"
}

// duration reads a duration of the specification: an ISO 8601 string or an
// object of days, hours, minutes, seconds and milliseconds.
func (r *reader) duration(n *node, path string) time.Duration {
	const hint = "write an ISO 8601 duration such as PT1.5S, or an object such as {seconds: 1, milliseconds: 500}"
	switch n.kind {
	case kindString:
		if isWholeExpression(n.text) {
			r.fail(n.at, path, hint, "a duration cannot be an expression here")
			return 0
		}
		d, err := parseISO(n.text)
		if err != nil {
			r.fail(n.at, path, hint, "%v", err)
		}
		return d
	case kindObject:
		o := r.object(n, path)
		var sum time.Duration
		for _, u := range []struct {
			key  string
			unit time.Duration
		}{
			{"days", 24 * time.Hour},
			{"hours", time.Hour},
			{"minutes", time.Minute},
			{"seconds", time.Second},
			{"milliseconds", time.Millisecond},
		} {
			if v := o.take(u.key); v != nil {
				sum += time.Duration(r.whole(v, o.at(u.key), 0, int(maxDuration/u.unit))) * u.unit
			}
		}
		o.done(nil)
		if len(n.fields) == 0 {
			r.fail(n.at, path, hint, "is empty")
		}
		if sum > maxDuration {
			r.fail(n.at, path, "", "is longer than ten years")
			return 0
		}
		return sum
	}
	r.fail(n.at, path, hint, "must be a duration, not %s", n.kind)
	return 0
}

// positive is duration for one that must not be zero.
func (r *reader) positive(n *node, path string) time.Duration {
	before := len(r.errs)
	d := r.duration(n, path)
	if d <= 0 && len(r.errs) == before {
		r.fail(n.at, path, "leave it out where no limit is meant", "must be longer than zero")
	}
	return d
}

// shortDuration reads a duration of Aquatope's own keys, which may be written
// as Go and Prometheus do (900ms, 1m30s) besides the specification's ways.
func (r *reader) shortDuration(n *node, path string) time.Duration {
	if n.kind == kindString && !strings.HasPrefix(n.text, "P") {
		d, err := time.ParseDuration(n.text)
		switch {
		case err != nil:
			r.fail(n.at, path, "write a duration such as 900ms, 1.5s or 2m", "%q is not a duration", n.text)
		case d <= 0 || d > maxDuration:
			r.fail(n.at, path, "", "duration %s must be above zero and at most ten years", n.text)
		default:
			return d
		}
		return 0
	}
	return r.positive(n, path)
}
