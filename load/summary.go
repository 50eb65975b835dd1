package load

import (
	"slices"
	"time"

	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/workflow"
)

// Summary is what a load run says of one target. Latencies are those of runs
// that ended well; failed runs count as violations.
type Summary struct {
	Target     string        `json:"target"`
	Runs       int           `json:"runs"`
	Failed     int           `json:"failed"`
	Rejected   int           `json:"rejected"` // of Failed: turned away with 503 for lack of capacity
	QoS        workflow.QoS  `json:"qos"`
	Violations int           `json:"violations"` // failed, or slower than QoS.Latency
	Met        bool          `json:"met"`        // violations are within the error budget, or nothing was promised
	P50        time.Duration `json:"p50Nanos"`
	P95        time.Duration `json:"p95Nanos"`
	P99        time.Duration `json:"p99Nanos"`
	Max        time.Duration `json:"maxNanos"`
	MaxLag     time.Duration `json:"maxLagNanos"` // how late the generator itself was at worst
}

// ViolationRate is the share of runs that broke the promise; 0 without runs.
func (s Summary) ViolationRate() float64 {
	if s.Runs == 0 {
		return 0
	}
	return float64(s.Violations) / float64(s.Runs)
}

// Summarise returns the summary of the samples of one target with a promise,
// which may be the zero value.
func Summarise(target string, qos workflow.QoS, samples []Sample) Summary {
	s := Summary{Target: target, QoS: qos, Runs: len(samples)}
	ok := make([]float64, 0, len(samples))
	for _, x := range samples {
		s.MaxLag = max(s.MaxLag, x.Lag)
		if x.Error != "" {
			s.Failed++
			s.Violations++
			if x.Status == 503 {
				s.Rejected++
			}
			continue
		}
		if qos.Latency > 0 && x.Latency > qos.Latency {
			s.Violations++
		}
		ok = append(ok, float64(x.Latency))
	}
	slices.Sort(ok)
	if len(ok) > 0 {
		s.P50 = time.Duration(stats.Quantile(0.50, ok))
		s.P95 = time.Duration(stats.Quantile(0.95, ok))
		s.P99 = time.Duration(stats.Quantile(0.99, ok))
		s.Max = time.Duration(ok[len(ok)-1])
	}
	s.Met = qos.Kept(s.Runs, s.Violations)
	return s
}
