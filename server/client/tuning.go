package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/aquatope/aquatope/server/api"
)

func tuningPath(workflow string) string {
	return "/api/v1/workflows/" + url.PathEscape(workflow) + "/tuning"
}

// StartTuning begins a tuning session of a workflow, or takes up one that ended
// early.
func (c *Client) StartTuning(ctx context.Context, workflow string, req api.TuneRequest) (api.Tuning, error) {
	var out api.Tuning
	err := c.call(ctx, http.MethodPost, tuningPath(workflow), req, &out)
	return out, err
}

// Tuning returns the last tuning session of a workflow.
func (c *Client) Tuning(ctx context.Context, workflow string) (api.Tuning, error) {
	var out api.Tuning
	err := c.call(ctx, http.MethodGet, tuningPath(workflow), nil, &out)
	return out, err
}

// StopTuning ends the tuning session of a workflow. Its runs are kept.
func (c *Client) StopTuning(ctx context.Context, workflow string) (api.Tuning, error) {
	var out api.Tuning
	err := c.call(ctx, http.MethodDelete, tuningPath(workflow), nil, &out)
	return out, err
}

// Explain says what a promise of a workflow would take. Latency and percentile
// may be 0 for those of the workflow.
func (c *Client) Explain(ctx context.Context, workflow string, latency time.Duration, percentile float64) (api.Recommendation, error) {
	nanos, pc := "", ""
	if latency > 0 {
		nanos = strconv.FormatInt(int64(latency), 10)
	}
	if percentile > 0 {
		pc = strconv.FormatFloat(percentile, 'g', -1, 64)
	}
	var out api.Recommendation
	err := c.call(ctx, http.MethodGet, query("/api/v1/workflows/"+url.PathEscape(workflow)+"/explanation", "latencyNanos", nanos, "percentile", pc), nil, &out)
	return out, err
}

func profilePath(workflow string) string {
	return "/api/v1/workflows/" + url.PathEscape(workflow) + "/profile"
}

// StartProfile begins to measure the functions of a workflow.
func (c *Client) StartProfile(ctx context.Context, workflow string, req api.ProfileRequest) (api.Profiling, error) {
	var out api.Profiling
	err := c.call(ctx, http.MethodPost, profilePath(workflow), req, &out)
	return out, err
}

// Profile returns how far the last measurement of a workflow is.
func (c *Client) Profile(ctx context.Context, workflow string) (api.Profiling, error) {
	var out api.Profiling
	err := c.call(ctx, http.MethodGet, profilePath(workflow), nil, &out)
	return out, err
}

// StopProfile ends the measurement of a workflow.
func (c *Client) StopProfile(ctx context.Context, workflow string) (api.Profiling, error) {
	var out api.Profiling
	err := c.call(ctx, http.MethodDelete, profilePath(workflow), nil, &out)
	return out, err
}
