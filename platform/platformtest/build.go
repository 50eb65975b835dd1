package platformtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Build compiles the suite's function, statically, and returns its path. Where
// there is no compiler, AQUATOPE_TEST_FN names the program.
func Build(t testing.TB) string {
	t.Helper()
	if bin := os.Getenv("AQUATOPE_TEST_FN"); bin != "" {
		return bin
	}
	bin := filepath.Join(t.TempDir(), "fn")
	if err := buildTo(bin); err != nil {
		t.Fatal(err)
	}
	return bin
}

func buildTo(bin string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-o", bin, "github.com/aquatope/aquatope/platform/platformtest/fn")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the suite's function: %w\n%s", err, out)
	}
	return nil
}
