package server

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/aquatope/aquatope/control"
)

// foresight exports what the pool scheduler expects and how right it was, at
// the moment of a scrape. docs/reference/metrics.md lists it.
type foresight struct {
	server    *Server
	instances *prometheus.Desc
	coverage  *prometheus.Desc
	target    *prometheus.Desc
	saved     *prometheus.Desc
}

func newForesight(s *Server) *foresight {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("aquatope_"+name, help, labels, nil)
	}
	return &foresight{
		server:    s,
		instances: desc("forecast_instances", "Instances that the planned window is expected to need, by quantile.", "function", "quantile"),
		coverage:  desc("forecast_coverage_ratio", "Share of recent windows that lay in the nominal 90 % interval, randomised.", "function"),
		saved:     desc("pool_saved_coldstarts", "Cold starts that forecasts save of late against the fixed keep-alive, by the account beside it; less idle time counts by its price.", "function"),
		target:    desc("pool_target", "Instances that the pool scheduler wants warm; applied in mode apply only.", "function", "mode"),
	}
}

// Describe implements prometheus.Collector.
func (c *foresight) Describe(to chan<- *prometheus.Desc) {
	to <- c.instances
	to <- c.coverage
	to <- c.target
	to <- c.saved
}

// Collect implements prometheus.Collector.
func (c *foresight) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, r := range c.server.revisions() {
		fn := r.Function.Name
		s, ok := c.server.pool.State(fn)
		if !ok || s.Mode == control.ModeOff {
			continue
		}
		gauge(c.target, float64(s.Target), fn, string(s.Mode))
		if s.Arrivals == nil {
			continue
		}
		gauge(c.coverage, s.Coverage, fn)
		gauge(c.saved, s.Account.Saved, fn)
		for i, q := range control.Quantiles {
			gauge(c.instances, float64(s.Instances[i]), fn, strconv.FormatFloat(q, 'g', -1, 64))
		}
	}
}
