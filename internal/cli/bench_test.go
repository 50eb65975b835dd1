package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// BenchmarkOverhead runs "aquatope experiment overhead": what Aquatope adds to
// one warm call, beside what a bare reverse proxy adds. An operation is the
// whole experiment; the figures are the metrics.
func BenchmarkOverhead(b *testing.B) {
	bin := b.TempDir()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	program := filepath.Join(bin, "aquatope")
	// A copy: the experiment starts the program again under its real path.
	text, err := os.ReadFile(self)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(program, text, 0o700); err != nil {
		b.Fatal(err)
	}
	var doc struct {
		Results []struct {
			Concurrency       int
			DirectP50Micros   float64
			ProxyP50Micros    float64
			AquatopeP50Micros float64
			AddedRatioP50     float64
			AddedRatioP99     float64
		}
	}
	for b.Loop() {
		var out, errs bytes.Buffer
		cmd := exec.CommandContext(context.Background(), program, "experiment", "overhead", "--rounds", "20", "-o", "json")
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil && out.Len() == 0 {
			b.Fatalf("%v\n%s", err, errs.String())
		}
		if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
			b.Fatal(err)
		}
	}
	for _, r := range doc.Results {
		suffix := "/c" + string(rune('0'+r.Concurrency))
		b.ReportMetric(r.DirectP50Micros, "direct-µs"+suffix)
		b.ReportMetric(r.ProxyP50Micros, "proxy-µs"+suffix)
		b.ReportMetric(r.AquatopeP50Micros, "aquatope-µs"+suffix)
		b.ReportMetric(r.AddedRatioP50, "added-p50-ratio"+suffix)
		b.ReportMetric(r.AddedRatioP99, "added-p99-ratio"+suffix)
	}
}
