package server

import (
	"context"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/run"
)

// metrics are the Prometheus metrics of a server, in a registry of its own.
// docs/reference/api.md lists them.
type metrics struct {
	registry   *prometheus.Registry
	invoke     *prometheus.HistogramVec
	start      *prometheus.HistogramVec
	cold       *prometheus.CounterVec
	failed     *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	target     *prometheus.GaugeVec
	violations *prometheus.CounterVec
	runs       *prometheus.CounterVec
	cost       *prometheus.CounterVec
	decisions  *prometheus.CounterVec
	ahead      *prometheus.CounterVec

	price function.Price
}

// latencyBuckets span a warm no-op to a long batch stage, three to a decade.
var latencyBuckets = []float64{
	.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 25, 50, 100, 250,
}

func newMetrics(price function.Price) *metrics {
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "aquatope_" + name, Help: help, Buckets: latencyBuckets}, labels)
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "aquatope_" + name, Help: help}, labels)
	}
	m := &metrics{
		registry:   prometheus.NewRegistry(),
		price:      price,
		invoke:     histogram("function_invoke_duration_seconds", "Time that an instance took to answer an invocation.", "function", "revision"),
		start:      histogram("function_init_duration_seconds", "Time from the decision to start an instance until it was ready.", "function", "revision"),
		cold:       counter("function_coldstarts_total", "Invocations that waited for an instance to start.", "function", "revision"),
		failed:     counter("function_failures_total", "Invocations that did not end well, by outcome.", "function", "outcome"),
		duration:   histogram("workflow_duration_seconds", "Time from the acceptance of a run until it ended.", "workflow"),
		violations: counter("workflow_qos_violations_total", "Runs that failed or took longer than promised.", "workflow"),
		runs:       counter("workflow_runs_total", "Runs that ended, by status.", "workflow", "status"),
		cost:       counter("cost_total", "Cost of invocations by the price list, in its currency.", "kind"),
		ahead:      counter("pool_started_ahead_total", "Instances that were started ahead of any invocation, by whether one was served before they ended.", "function", "used"),
		decisions:  counter("decisions_total", "Decisions of the controllers, by reason; docs/explanation/scheduler.md tells what the reasons mean.", "controller", "reason"),
		target: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "aquatope_workflow_qos_target_seconds", Help: "Latency that a workflow promises.",
		}, []string{"workflow", "percentile"}),
	}
	m.registry.MustRegister(
		m.invoke, m.start, m.cold, m.failed, m.duration, m.violations, m.runs, m.cost, m.decisions, m.ahead, m.target,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// invocation counts one invocation.
func (m *metrics) invocation(o *function.Observation) {
	if o.Cold {
		m.cold.WithLabelValues(o.Function, o.Revision).Inc()
	}
	if o.Outcome != function.OutcomeOK {
		m.failed.WithLabelValues(o.Function, string(o.Outcome)).Inc()
	}
	if o.Execution > 0 {
		m.invoke.WithLabelValues(o.Function, o.Revision).Observe(o.Execution.Seconds())
		m.cost.WithLabelValues("invocation").Add(m.price.Busy(o.Resources, o.Execution) + m.price.PerInvocation)
	}
}

// instanceStart counts one start of an instance.
func (m *metrics) instanceStart(s *platform.Start) {
	if s.Error == "" {
		m.start.WithLabelValues(s.Function, s.Revision).Observe((s.Create + s.Ready).Seconds())
	}
}

// runEnded counts one run of a workflow.
func (m *metrics) runEnded(r *run.Run) {
	if r.Workflow == "" {
		return
	}
	m.runs.WithLabelValues(r.Workflow, string(r.Status)).Inc()
	m.duration.WithLabelValues(r.Workflow).Observe(r.Latency().Seconds())
	if r.Violated {
		m.violations.WithLabelValues(r.Workflow).Inc()
	}
}

// dropped exports how many observations the store had to drop.
func (m *metrics) dropped(count func() int64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "aquatope_observations_dropped_total", Help: "Observations that were lost because the store could not keep up.",
	}, func() float64 { return float64(count()) }))
}

// promises exports what the workflows of a catalog promise.
func (m *metrics) promises(c *catalog) {
	m.target.Reset()
	for name, w := range c.workflows {
		if q := w.workflow.QoS; q.Latency > 0 {
			m.target.WithLabelValues(name, strconv.FormatFloat(q.Percentile, 'g', -1, 64)).Set(q.Latency.Seconds())
		}
	}
}

// instances exports the state of the platform at the moment of a scrape.
type instances struct {
	platform platform.Platform
	count    *prometheus.Desc
	queued   *prometheus.Desc
	warm     *prometheus.Desc
}

func newInstances(p platform.Platform) *instances {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("aquatope_"+name, help, labels, nil)
	}
	return &instances{
		platform: p,
		count:    desc("function_instances", "Instances, by state.", "function", "revision", "state"),
		queued:   desc("function_queued_requests", "Requests that wait for an instance.", "function", "revision"),
		warm:     desc("function_warm_target", "Instances that are to be kept ready.", "function", "revision"),
	}
}

// Describe implements prometheus.Collector.
func (c *instances) Describe(to chan<- *prometheus.Desc) {
	to <- c.count
	to <- c.queued
	to <- c.warm
}

// Collect implements prometheus.Collector.
func (c *instances) Collect(to chan<- prometheus.Metric) {
	s, err := c.platform.Snapshot(context.Background())
	if err != nil {
		to <- prometheus.NewInvalidMetric(c.count, err)
		return
	}
	gauge := func(d *prometheus.Desc, v int, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
	}
	for _, r := range s.Revisions {
		gauge(c.count, r.Starting, r.Function, r.Revision, "starting")
		gauge(c.count, r.Idle, r.Function, r.Revision, "idle")
		gauge(c.count, r.Busy, r.Function, r.Revision, "busy")
		gauge(c.count, r.Stopping, r.Function, r.Revision, "stopping")
		gauge(c.queued, r.Queued, r.Function, r.Revision)
		gauge(c.warm, r.Scale.Warm, r.Function, r.Revision)
	}
}
