package function_test

import (
	"testing"

	"github.com/aquatope/aquatope/function"
)

func TestTooLittle(t *testing.T) {
	t.Parallel()
	kill := func(peak, limit function.Bytes) function.Kill {
		return function.Kill{Peak: peak * function.MiB, Limit: limit * function.MiB}
	}
	for _, c := range []struct {
		name  string
		kills []function.Kill
		want  function.Bytes
	}{
		{"none", nil, 0},
		{"at its limit", []function.Kill{kill(64, 64)}, 64},
		{"just below, asking for more", []function.Kill{kill(53, 64)}, 64},
		{"peak not measured", []function.Kill{kill(0, 64)}, 64},
		{"far below: the machine's", []function.Kill{kill(20, 64)}, 0},
		{"twice far below", []function.Kill{kill(20, 64), kill(22, 64)}, 64},
		{"far below at two limits", []function.Kill{kill(20, 256), kill(22, 64)}, 64},
		{"far below thrice", []function.Kill{kill(20, 256), kill(22, 64), kill(22, 128)}, 128},
		{"the largest that is shown", []function.Kill{kill(20, 512), kill(128, 128), kill(64, 64)}, 128},
	} {
		if got := function.TooLittle(c.kills); got != c.want*function.MiB {
			t.Errorf("%s: %s, want %s", c.name, got, c.want*function.MiB)
		}
	}
}
