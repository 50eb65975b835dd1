package manifest

import (
	"math"
	"regexp"
	"strconv"
)

var (
	jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	// numberLike matches what some YAML reader or other takes for a number.
	numberLike = regexp.MustCompile(`^[-+]?(\.?[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|0[xob][0-9a-fA-F_]+|\.(inf|Inf|INF))$|^\.(nan|NaN|NAN)$`)
)

// parseNumber reads a number written as JSON does. Numbers in digits must
// fit an int and others a float64, since a value that changes on reading is a trap.
func parseNumber(text string) (any, string) {
	m := jsonNumber.FindStringSubmatch(text)
	if m == nil {
		return nil, "number " + text + " is not written as in JSON"
	}
	if m[2] == "" && m[3] == "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, "number " + text + " is too large to be exact"
		}
		return n, ""
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return nil, "number " + text + " is too large"
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int(f), "" // 2.0 is 2, as in JSON and jq
	}
	return f, ""
}
