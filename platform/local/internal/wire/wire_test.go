package wire_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aquatope/aquatope/platform/local/internal/wire"
)

func server(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// raw serves connections with what answer returns for each request's body.
func raw(t testing.TB, answer func() string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					_, _ = io.Copy(io.Discard, r.Body)
					_, _ = io.WriteString(c, answer())
				}
			}()
		}
	}()
	return l.Addr().String()
}

func TestConnectionsAreReused(t *testing.T) {
	seen := map[string]int{}
	c := wire.New(server(t, func(w http.ResponseWriter, r *http.Request) {
		seen[r.RemoteAddr]++
		b, _ := io.ReadAll(r.Body) // first: a server that answers early stops reading
		_, _ = w.Write(b)
	}), 1<<20)
	defer c.Close()
	for _, body := range []string{"", "short", strings.Repeat("long", 50_000)} {
		resp, _, err := c.Do(t.Context(), nil, []byte(body), time.Minute)
		if err != nil || string(resp.Body) != body {
			t.Fatalf("got %d bytes, %v", len(resp.Body), err)
		}
	}
	if len(seen) != 1 {
		t.Errorf("three requests took the connections %v", seen)
	}
}

func TestIdleConnectionThatWasClosed(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	s.Start()
	defer s.Close()
	c := wire.New(s.Listener.Addr().String(), 100)
	defer c.Close()
	for range 20 {
		if _, _, err := c.Do(t.Context(), nil, nil, time.Minute); err != nil {
			t.Fatal(err)
		}
		s.CloseClientConnections()
	}
}

func TestHeaders(t *testing.T) {
	var got http.Header
	c := wire.New(server(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Header }), 100)
	defer c.Close()
	h := http.Header{
		"X-Two": {"a", "b"}, "Connection": {"close"}, "Transfer-Encoding": {"chunked"}, "Content-Length": {"99"},
		"X-Evil": {"a\r\nX-Injected: 1"}, "Bad Name": {"x"}, "Host": {"elsewhere"},
	}
	if _, _, err := c.Do(t.Context(), h, []byte("x"), time.Minute); err != nil {
		t.Fatal(err)
	}
	if len(got["X-Two"]) != 2 || got.Get("X-Injected") != "" || got.Get("Connection") != "" || got.Get("Content-Length") != "1" {
		t.Errorf("got %v", got)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		answer string
		want   error
	}{
		{"", wire.ErrNoAnswer},
		{"HTTP/1.1 200 OK\r\nContent-Le", wire.ErrNoAnswer},
		{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", wire.ErrNoAnswer},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", wire.ErrNoAnswer},
		{"SSH-2.0-OpenSSH_9.2\r\n", wire.ErrProtocol},
		{"HTTP/1.1 101 Switching Protocols\r\n\r\n", wire.ErrProtocol},
		{"HTTP/1.1 999 Odd\r\n\r\n", wire.ErrProtocol},
		{"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", wire.ErrTooLarge},
		{"HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 101), wire.ErrTooLarge},
		{"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", wire.ErrTooLarge},
		{strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 10_000), wire.ErrTooLarge},
		{"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", nil},
		{"HTTP/1.0 200 OK\r\n\r\nok", nil},
		{"HTTP/1.1 204 No Content\r\n\r\n", nil},
	} {
		cl := wire.New(raw(t, func() string { return c.answer }), 100)
		_, _, err := cl.Do(t.Context(), nil, []byte("{}"), time.Minute)
		if !errors.Is(err, c.want) {
			t.Errorf("%.60q: got %v, want %v", c.answer, err, c.want)
		}
		cl.Close()
	}
}

func TestAnswerBeforeTheBodyIsRead(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.CopyN(io.Discard, c, 1<<20) // some of it, then close
		_ = c.(*net.TCPConn).SetLinger(-1)
		_ = c.Close()
	}()
	c := wire.New(l.Addr().String(), 100)
	defer c.Close()
	resp, _, err := c.Do(t.Context(), nil, make([]byte, 1<<20), time.Minute)
	if err != nil || resp.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("got %+v, %v", resp, err)
	}
}

func TestTimeout(t *testing.T) {
	release := make(chan struct{})
	c := wire.New(server(t, func(http.ResponseWriter, *http.Request) { <-release }), 100)
	defer c.Close()
	defer close(release)
	// On a busy machine not even the connection is there in time.
	for timeout := 50 * time.Millisecond; ; timeout *= 2 {
		_, _, err := c.Do(t.Context(), nil, nil, timeout)
		if errors.Is(err, wire.ErrTimeout) {
			break
		}
		if timeout > time.Minute {
			t.Fatalf("got %v, want ErrTimeout", err)
		}
	}
}

func TestCancel(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	c := wire.New(server(t, func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-release
	}), 100)
	defer c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-arrived
		cancel()
	}()
	_, pending, err := c.Do(ctx, nil, nil, time.Minute)
	if !errors.Is(err, context.Canceled) || pending == nil {
		t.Fatalf("got %v, %v; want a request that is still under way", pending, err)
	}
	close(release)
	if err := pending.Wait(); err != nil {
		t.Error(err)
	}
}

func TestUnreachable(t *testing.T) {
	if _, _, err := wire.New("127.0.0.1:1", 100).Do(t.Context(), nil, nil, time.Minute); !errors.Is(err, wire.ErrUnreachable) {
		t.Errorf("got %v, want ErrUnreachable", err)
	}
}

// FuzzResponse checks that no answer, however odd, hangs or breaks the client,
// and that what is accepted keeps to the limits.
func FuzzResponse(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 No\r\n\r\nx", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "\x00\xff", "HTTP/9.9 200\r\n\r\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		c := wire.New(raw(t, func() string { return answer }), 100)
		defer c.Close()
		resp, _, err := c.Do(t.Context(), nil, nil, 10*time.Second)
		if err == nil && (len(resp.Body) > 100 || resp.Status < 200 || resp.Status > 599) {
			t.Errorf("accepted %+v", resp)
		}
		if errors.Is(err, wire.ErrTimeout) {
			t.Error("hangs")
		}
	})
}
