// Package client speaks the HTTP API of a server.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/aquatope/aquatope/server/api"
)

// Client is a connection to one server, safe for concurrent use.
type Client struct {
	base string
	http *http.Client
}

// DefaultAddress is where a server listens unless told otherwise.
const DefaultAddress = "http://127.0.0.1:8280"

// New returns a client of the server at address: a URL, or host:port.
func New(address string) (*Client, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("server address %q is not of the form http://host:port", address)
	}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConns:        1024,
		MaxIdleConnsPerHost: 1024,
		IdleConnTimeout:     time.Minute,
	}
	return &Client{base: strings.TrimSuffix(u.String(), "/"), http: &http.Client{Transport: transport}}, nil
}

// Address is the URL of the server.
func (c *Client) Address() string { return c.base }

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// UnreachableError says that no server answered.
type UnreachableError struct {
	Address string
	Err     error
}

func (e *UnreachableError) Error() string {
	if errors.Is(e.Err, syscall.ECONNREFUSED) {
		return fmt.Sprintf("no server listens at %s\n  start one with \"aquatope up\", or name another with --server or AQUATOPE_SERVER", e.Address)
	}
	return fmt.Sprintf("reaching the server at %s: %v", e.Address, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// do sends a request and returns an answer below 400. Any other answer is an
// *api.Problem.
func (c *Client) do(ctx context.Context, method, path string, body io.Reader, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("asking the server: %w", err)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var uerr *url.Error
		if errors.As(err, &uerr) {
			err = uerr.Err
		}
		return nil, &UnreachableError{Address: c.base, Err: err}
	}
	if resp.StatusCode < 400 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, problem(resp)
}

// maxProblem bounds how much of an error's body is read.
const maxProblem = 1 << 20

func problem(resp *http.Response) *api.Problem {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	p := &api.Problem{}
	if json.Unmarshal(text, p) != nil || p.Title == "" && p.Detail == "" {
		p = &api.Problem{Detail: strings.TrimSpace(string(text))}
	}
	p.Status = resp.StatusCode
	if p.Title == "" {
		p.Title = http.StatusText(resp.StatusCode)
	}
	return p
}

// call sends in as JSON, unless it is nil, and decodes the answer to out.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	header := http.Header{}
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("asking the server: %w", err)
		}
		body = bytes.NewReader(text)
		header.Set("Content-Type", "application/json")
	}
	return c.exchange(ctx, method, path, body, header, out)
}

// exchange sends a body as it is and decodes the answer to out, unless that is nil.
func (c *Client) exchange(ctx context.Context, method, path string, body io.Reader, header http.Header, out any) error {
	resp, err := c.do(ctx, method, path, body, header)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("reading the server's answer to %s %s: %w", method, path, err)
	}
	return nil
}

// query formats a path with a query of the values that are not empty.
func query(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
