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
