package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/aquatope/aquatope/server/api"
)

// Result is the answer to a synchronous invocation.
type Result struct {
	RunID       string
	ContentType string
	Body        []byte
}

// RunIDHeader carries the id of a run in answers of the gateway.
const RunIDHeader = "Aquatope-Run-Id"

// InvokeWorkflow runs a workflow and waits for its output.
func (c *Client) InvokeWorkflow(ctx context.Context, name string, input []byte) (Result, error) {
	return c.invoke(ctx, "/workflows/"+url.PathEscape(name), input)
}

// InvokeFunction invokes one function and waits for its answer.
func (c *Client) InvokeFunction(ctx context.Context, name string, input []byte) (Result, error) {
	return c.invoke(ctx, "/functions/"+url.PathEscape(name), input)
}

func (c *Client) invoke(ctx context.Context, path string, input []byte) (Result, error) {
	resp, err := c.do(ctx, http.MethodPost, path, bytes.NewReader(input), http.Header{"Content-Type": {"application/json"}})
	if err != nil {
		return Result{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return Result{}, fmt.Errorf("reading the answer of %s: %w", path, err)
	}
	return Result{
		RunID:       resp.Header.Get(RunIDHeader),
		ContentType: resp.Header.Get("Content-Type"),
		Body:        body,
	}, nil
}

// StartRun starts a run without waiting for it. Starting another run with the
// same idempotency key, unless that is empty, returns the first one.
func (c *Client) StartRun(ctx context.Context, workflow string, input []byte, idempotencyKey string) (api.Run, error) {
	header := http.Header{"Content-Type": {"application/json"}}
	if idempotencyKey != "" {
		header.Set("Idempotency-Key", idempotencyKey)
	}
	var out api.Run
	err := c.exchange(ctx, http.MethodPost, "/api/v1/workflows/"+url.PathEscape(workflow)+"/runs", bytes.NewReader(input), header, &out)
	return out, err
}
