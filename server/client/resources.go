package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/aquatope/aquatope/server/api"
)

// Deploy applies manifests, YAML or JSON documents. With dryRun nothing is changed.
func (c *Client) Deploy(ctx context.Context, manifests []byte, dryRun bool) (api.Deployment, error) {
	var out api.Deployment
	dry := ""
	if dryRun {
		dry = "true"
	}
	err := c.exchange(ctx, http.MethodPut, query("/api/v1/manifests", "dryRun", dry),
		bytes.NewReader(manifests), http.Header{"Content-Type": {"application/yaml"}}, &out)
	return out, err
}

// Functions returns all deployed functions.
func (c *Client) Functions(ctx context.Context) ([]api.Function, error) {
	var out api.FunctionList
	err := c.call(ctx, http.MethodGet, "/api/v1/functions", nil, &out)
	return out.Items, err
}

// Forecast returns what is expected of a function in the windows ahead, and what
// was expected of past ones with what came.
func (c *Client) Forecast(ctx context.Context, name string, past, ahead int) (api.FunctionForecast, error) {
	var out api.FunctionForecast
	path := query("/api/v1/functions/"+url.PathEscape(name)+"/forecast", "windows", strconv.Itoa(past), "ahead", strconv.Itoa(ahead))
	err := c.call(ctx, http.MethodGet, path, nil, &out)
	return out, err
}

// DeleteFunction removes a function. One that a workflow calls is refused.
func (c *Client) DeleteFunction(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, "/api/v1/functions/"+url.PathEscape(name), nil, nil)
}

// Workflow returns one workflow.
func (c *Client) Workflow(ctx context.Context, name string) (api.Workflow, error) {
	var out api.Workflow
	err := c.call(ctx, http.MethodGet, "/api/v1/workflows/"+url.PathEscape(name), nil, &out)
	return out, err
}

// DeleteWorkflow removes a workflow. Its runs under way end as they would have.
func (c *Client) DeleteWorkflow(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, "/api/v1/workflows/"+url.PathEscape(name), nil, nil)
}

// Runs returns a page of runs, the newest first. Workflow, status and cursor
// may be empty; limit 0 is the server's default.
func (c *Client) Runs(ctx context.Context, workflow, status, cursor string, limit int) (api.RunList, error) {
	var out api.RunList
	n := ""
	if limit > 0 {
		n = strconv.Itoa(limit)
	}
	err := c.call(ctx, http.MethodGet, query("/api/v1/runs", "workflow", workflow, "status", status, "cursor", cursor, "limit", n), nil, &out)
	return out, err
}

// Run returns one run with its invocations.
func (c *Client) Run(ctx context.Context, id string) (api.Run, error) {
	var out api.Run
	err := c.call(ctx, http.MethodGet, "/api/v1/runs/"+url.PathEscape(id), nil, &out)
	return out, err
}

// CancelRun stops a run. Cancelling a run that has ended is an error.
func (c *Client) CancelRun(ctx context.Context, id string) (api.Run, error) {
	var out api.Run
	err := c.call(ctx, http.MethodPost, "/api/v1/runs/"+url.PathEscape(id)+"/cancel", nil, &out)
	return out, err
}

// Status returns the state of the server.
func (c *Client) Status(ctx context.Context) (api.Status, error) {
	var out api.Status
	err := c.call(ctx, http.MethodGet, "/api/v1/status", nil, &out)
	return out, err
}

// Observations summarises the invocations since a moment, of one workflow or,
// with an empty name, of everything.
func (c *Client) Observations(ctx context.Context, workflow string, since time.Time) (api.ObservationSummary, error) {
	var out api.ObservationSummary
	err := c.call(ctx, http.MethodGet, query("/api/v1/observations/summary", "workflow", workflow, "since", since.UTC().Format(time.RFC3339Nano)), nil, &out)
	return out, err
}

// Metrics returns the server's metrics in Prometheus' text format.
func (c *Client) Metrics(ctx context.Context) (string, error) {
	resp, err := c.do(ctx, http.MethodGet, "/metrics", nil, nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", fmt.Errorf("reading the server's metrics: %w", err)
	}
	return string(text), nil
}
