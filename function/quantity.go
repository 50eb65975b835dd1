package function

import (
	"fmt"
	"math/big"
	"strings"
)

// suffixes of Kubernetes quantities with their factors; longer ones first.
var suffixes = []struct {
	text   string
	factor *big.Rat
}{
	{"Ki", big.NewRat(1<<10, 1)},
	{"Mi", big.NewRat(1<<20, 1)},
	{"Gi", big.NewRat(1<<30, 1)},
	{"Ti", big.NewRat(1<<40, 1)},
	{"m", big.NewRat(1, 1000)},
	{"k", big.NewRat(1e3, 1)},
	{"M", big.NewRat(1e6, 1)},
	{"G", big.NewRat(1e9, 1)},
	{"T", big.NewRat(1e12, 1)},
}

// ParseMilliCPU reads an amount of CPU as Kubernetes writes it: "250m", "0.25",
// "2". It must be positive and a whole number of thousandths.
func ParseMilliCPU(s string) (MilliCPU, error) {
	v, err := parseQuantity(s, big.NewRat(1000, 1))
	if err != nil {
		return 0, fmt.Errorf("cpu %q: %w; write cores such as 0.5, or thousandths such as 500m", s, err)
	}
	return MilliCPU(v), nil
}

// ParseBytes reads an amount of memory as Kubernetes writes it: "128Mi", "1Gi",
// "500M", "1000000". It must be positive and a whole number of bytes.
func ParseBytes(s string) (Bytes, error) {
	v, err := parseQuantity(s, big.NewRat(1, 1))
	if err != nil {
		return 0, fmt.Errorf("memory %q: %w; write an amount such as 256Mi or 1Gi", s, err)
	}
	return Bytes(v), nil
}

// parseQuantity returns s times unit, which must be a positive integer.
func parseQuantity(s string, unit *big.Rat) (int64, error) {
	number, factor := s, unit
	for _, f := range suffixes {
		if rest, ok := strings.CutSuffix(s, f.text); ok {
			number, factor = rest, new(big.Rat).Mul(unit, f.factor)
			break
		}
	}
	if !isDecimal(number) {
		return 0, fmt.Errorf("not a quantity")
	}
	v, ok := new(big.Rat).SetString(number)
	if !ok {
		return 0, fmt.Errorf("not a quantity")
	}
	switch v.Mul(v, factor); {
	case v.Sign() <= 0:
		return 0, fmt.Errorf("not positive")
	case !v.IsInt():
		return 0, fmt.Errorf("finer than the smallest unit")
	case !v.Num().IsInt64():
		return 0, fmt.Errorf("too large")
	}
	return v.Num().Int64(), nil
}

// isDecimal reports whether s is digits with at most one point between or
// beside them. It is stricter than big.Rat, which also takes fractions, signs,
// exponents and underscores, and it bounds the length.
func isDecimal(s string) bool {
	digits, points := 0, 0
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '.':
			points++
		default:
			return false
		}
	}
	return digits > 0 && digits <= 30 && points <= 1
}
