package function_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/function"
)

func TestParseMilliCPU(t *testing.T) {
	for text, want := range map[string]function.MilliCPU{
		"1": 1000, "0.25": 250, "250m": 250, "2": 2000, ".5": 500, "1.": 1000, "1k": 1_000_000, "0.001": 1,
	} {
		if got, err := function.ParseMilliCPU(text); err != nil || got != want {
			t.Errorf("ParseMilliCPU(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"": "not a quantity", "x": "not a quantity", "-1": "not a quantity", "+1": "not a quantity", "1e3": "not a quantity",
		"1/2": "not a quantity", "1_0": "not a quantity", ".": "not a quantity", " 1": "not a quantity", "1.2.3": "not a quantity",
		"0": "not positive", "0m": "not positive", "0.0001": "finer", "0.5m": "finer",
		"99999999999999999999": "too large", strings.Repeat("9", 31): "not a quantity",
	} {
		if got, err := function.ParseMilliCPU(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseMilliCPU(%q) = %d, %v, want an error with %q", text, got, err, want)
		}
	}
}

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]function.Bytes{
		"1": 1, "128Mi": 128 * function.MiB, "1Gi": function.GiB, "1.5Gi": 1536 * function.MiB, "500M": 500_000_000,
		"1k": 1000, "1Ki": 1024, "2Ti": 2048 * function.GiB, "1G": 1_000_000_000, "1000m": 1,
	} {
		if got, err := function.ParseBytes(text); err != nil || got != want {
			t.Errorf("ParseBytes(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "Mi", "1KiB", "1 Gi", "-1Gi", "0.3", "0Mi", "9999999Ti", "1MI"} {
		if got, err := function.ParseBytes(text); err == nil {
			t.Errorf("ParseBytes(%q) = %d, want an error", text, got)
		}
	}
}

// What is printed is read back as it was.
func TestQuantitiesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := function.MilliCPU(rapid.Int64Range(1, 1<<50).Draw(t, "cpu"))
		if got, err := function.ParseMilliCPU(c.String()); err != nil || got != c {
			t.Errorf("%d prints as %s, which reads as %d, %v", c, c, got, err)
		}
		b := function.Bytes(rapid.Int64Range(1, 1<<62).Draw(t, "bytes"))
		if got, err := function.ParseBytes(b.String()); err != nil || got != b {
			t.Errorf("%d prints as %s, which reads as %d, %v", b, b, got, err)
		}
	})
}

// FuzzQuantities looks for texts that break the parsers or give amounts that
// are not positive.
func FuzzQuantities(f *testing.F) {
	for _, s := range []string{"1", "250m", "0.5", "1.5Gi", "128Mi", "1e9", "-1", "."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := function.ParseMilliCPU(s); err == nil && c <= 0 {
			t.Errorf("ParseMilliCPU(%q) = %d", s, c)
		}
		if b, err := function.ParseBytes(s); err == nil && b <= 0 {
			t.Errorf("ParseBytes(%q) = %d", s, b)
		}
	})
}
