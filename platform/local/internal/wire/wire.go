// Package wire speaks HTTP/1.1 to one instance over connections that are kept
// alive. Unlike net/http's transport it sends and reads in the caller's own
// goroutine: no hand-over between threads, which would cost more than all the
// rest of the local platform's share of an invocation. Requests and responses
// are encoded and parsed by net/http.
package wire

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of a response.
const (
	maxHeader = 64 << 10
	// reuse is how long an idle connection is trusted. Servers close idle
	// connections after some seconds; a request that crosses with that would
	// be lost, and must not be sent twice.
	reuse = time.Second
)

// Errors of Do beside those of the network.
var (
	ErrTooLarge = errors.New("response is larger than allowed")
	// ErrProtocol means that what came back is not HTTP/1.x.
	ErrProtocol = errors.New("response is not valid HTTP")
	// ErrNoAnswer means that the connection ended before a whole response.
	ErrNoAnswer = errors.New("connection closed without an answer")
	ErrTimeout  = errors.New("no whole answer in time")
	// ErrUnreachable means that no connection was made, so nothing was sent.
	ErrUnreachable = errors.New("no connection")
)

// Client talks to one instance. It is safe for concurrent use; each request
// under way has a connection of its own.
type Client struct {
	addr    string
	maxBody int64

	mu     sync.Mutex
	idle   []*conn // the last one was used last
	closed bool
}

// New returns a client of what listens on addr. Bodies of responses may have
// maxBody bytes.
func New(addr string, maxBody int64) *Client { return &Client{addr: addr, maxBody: maxBody} }

// Response is a whole response.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Pending is a request whose caller went away while the instance still works
// on it. Wait returns when the instance is done with it, or at the deadline
// with ErrTimeout; it must be called.
type Pending struct {
	c        *conn
	deadline time.Time
}

// Do posts body and returns the response, at most timeout later. When ctx
// ends first, the error is ctx's, and pending is set if the instance still
// works on the request.
func (c *Client) Do(ctx context.Context, header http.Header, body []byte, timeout time.Duration) (_ *Response, pending *Pending, err error) {
	deadline := time.Now().Add(timeout)
	cn, err := c.get(ctx, deadline)
	if err != nil {
		return nil, nil, err
	}
	if err := cn.SetDeadline(deadline); err != nil {
		cn.Close()
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = cn.SetDeadline(past) })
	resp, keep, err := cn.roundTrip(header, body, c.maxBody)
	if !stop() && err != nil && ctx.Err() != nil {
		if cn.sent && cn.got == 0 {
			return nil, &Pending{cn, deadline}, context.Cause(ctx)
		}
		cn.Close()
		return nil, nil, context.Cause(ctx)
	}
	if err != nil {
		cn.Close()
		return nil, nil, err
	}
	if keep && ctx.Err() == nil {
		c.put(cn)
	} else {
		cn.Close()
	}
	return resp, nil, nil
}

// past is a deadline that makes reads and writes return at once.
var past = time.Unix(1, 0)

// Wait waits for the first byte of the response, which is dropped.
func (p *Pending) Wait() error {
	defer p.c.Close()
	if err := p.c.SetDeadline(p.deadline); err != nil {
		return err
	}
	_, err := p.c.r.Peek(1)
	return classify(err)
}

// Close closes idle connections; those in use close when they are done.
func (c *Client) Close() {
	c.mu.Lock()
	idle := c.idle
	c.idle, c.closed = nil, true
	c.mu.Unlock()
	for _, cn := range idle {
		cn.Close()
	}
}

func (c *Client) get(ctx context.Context, deadline time.Time) (*conn, error) {
	for {
		c.mu.Lock()
		n := len(c.idle)
		if n == 0 {
			c.mu.Unlock()
			break
		}
		cn := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		if time.Since(cn.used) < reuse && cn.quiet() {
			return cn, nil
		}
		cn.Close()
	}
	d := net.Dialer{Deadline: deadline}
	nc, err := d.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	cn := &conn{TCPConn: nc.(*net.TCPConn), host: c.addr}
	cn.r = bufio.NewReaderSize(limited{cn}, 4096)
	return cn, nil
}

func (c *Client) put(cn *conn) {
	cn.used = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		cn.Close()
		return
	}
	c.idle = append(c.idle, cn)
}

// conn is one connection. Its counters are of the request under way.
type conn struct {
	*net.TCPConn
	host string
	r    *bufio.Reader
	buf  bytes.Buffer
	used time.Time
	sent bool  // the request is written
	got  int64 // bytes of the response read so far
	max  int64 // that may be read
	end  error // why no more can be read
}

// limited reads from a connection up to its limit.
type limited struct{ c *conn }

func (l limited) Read(p []byte) (int, error) {
	left := l.c.max - l.c.got
	if left <= 0 {
		l.c.end = ErrTooLarge
		return 0, l.c.end
	}
	if int64(len(p)) > left {
		p = p[:left]
	}
	n, err := l.c.TCPConn.Read(p)
	l.c.got += int64(n)
	l.c.end = err
	return n, err
}

// post is what http.ReadResponse needs to know of a request.
var post = &http.Request{Method: http.MethodPost}

func (c *conn) roundTrip(header http.Header, body []byte, maxBody int64) (*Response, bool, error) {
	c.sent, c.got, c.max, c.end = false, 0, maxHeader+maxBody, nil
	unsent := c.send(header, body)
	if unsent != nil && !closedByPeer(unsent) {
		return nil, false, classify(unsent)
	}
	// A server may answer and close without having read all of a body.
	c.sent = unsent == nil
	resp, err := c.head()
	if err != nil {
		return nil, false, err
	}
	b, err := readBody(resp, maxBody)
	if err != nil {
		return nil, false, classify(err)
	}
	// What follows a response without being asked for is not ours to read.
	keep := c.sent && !resp.Close && c.r.Buffered() == 0
	return &Response{Status: resp.StatusCode, Header: resp.Header, Body: b}, keep, nil
}

// head reads the head of the final response.
func (c *conn) head() (*http.Response, error) {
	for {
		if _, err := c.r.Peek(1); err != nil {
			return nil, classify(err)
		}
		resp, err := http.ReadResponse(c.r, post)
		if err != nil {
			// A head that is cut short may look malformed: what ended it tells.
			if c.end != nil {
				return nil, classify(c.end)
			}
			return nil, fmt.Errorf("%w: %w", ErrProtocol, err)
		}
		switch {
		case resp.StatusCode == http.StatusSwitchingProtocols, resp.StatusCode < 100, resp.StatusCode > 599:
			return nil, fmt.Errorf("%w: unexpected status %d", ErrProtocol, resp.StatusCode)
		case resp.StatusCode >= 200:
			return resp, nil
		}
	}
}

func readBody(resp *http.Response, maxBody int64) ([]byte, error) {
	defer resp.Body.Close()
	if resp.ContentLength > maxBody {
		return nil, ErrTooLarge
	}
	if n := resp.ContentLength; n >= 0 {
		b := make([]byte, n)
		_, err := io.ReadFull(resp.Body, b)
		return b, err
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err == nil && int64(len(b)) > maxBody {
		err = ErrTooLarge
	}
	return b, err
}

// send writes the request. Small ones take one system call.
func (c *conn) send(header http.Header, body []byte) error {
	c.buf.Reset()
	fmt.Fprintf(&c.buf, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", c.host, len(body))
	// WriteSubset drops names that HTTP does not allow and turns line breaks
	// in values into spaces, so that no value can begin a second request.
	if err := header.WriteSubset(&c.buf, hop); err != nil {
		return err
	}
	c.buf.WriteString("\r\n")
	if len(body) <= 16<<10 {
		c.buf.Write(body)
		_, err := c.Write(c.buf.Bytes())
		return err
	}
	bufs := net.Buffers{c.buf.Bytes(), body}
	_, err := bufs.WriteTo(c.TCPConn)
	return err
}

// classify turns the errors of reading and writing into ours.
func classify(err error) error {
	var ne net.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrTooLarge):
		return err
	case errors.As(err, &ne) && ne.Timeout():
		return ErrTimeout
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), closedByPeer(err):
		return fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	return err
}
