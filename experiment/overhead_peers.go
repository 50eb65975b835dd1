package experiment

import (
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"time"
)

// OverheadFunction is the function that the overhead experiment calls: it
// reads nothing and answers with the port that it listens on, by which the
// experiment finds the very instance that the platform started.
func OverheadFunction(port int) http.Handler {
	body := []byte(`{"port":` + strconv.Itoa(port) + `}`)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	})
}

// OverheadProxy is the peer of the overhead experiment: the standard library's
// reverse proxy, with connections kept as a careful operator would.
func OverheadProxy(to *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.SetXForwarded()
		},
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			MaxIdleConns:        1024,
			MaxIdleConnsPerHost: 256,
			IdleConnTimeout:     90 * time.Second,
			DisableCompression:  true,
		},
	}
}
