package server

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/workflow"
)

var (
	//go:embed page.html
	pageSource string
	//go:embed run.html
	runSource string
	//go:embed page.css
	pageStyle string

	pageFuncs = template.FuncMap{
		"ms": milliseconds, "mib": mebibytes, "style": func() template.CSS { return template.CSS(pageStyle) },
		"ago": ago, "held": func(b *bool) bool { return *b }, "qos": qosWords, "percent": percent,
		"sum":   func(a, b int) int { return a + b },
		"share": func(x float64) string { return fmt.Sprintf("%.0f %%", 100*x) },
		"secs":  func(d time.Duration) string { return fmt.Sprintf("%.0f s", d.Seconds()) },
		"planned": func(list []api.Function) bool {
			return slices.ContainsFunc(list, func(f api.Function) bool { return f.Pool != nil })
		},
	}
	pageTemplate    = template.Must(template.New("page").Funcs(pageFuncs).Parse(pageSource))
	runPageTemplate = template.Must(template.New("run").Funcs(pageFuncs).Parse(runSource))
)

// pageRuns is how many runs the page shows.
const pageRuns = 20

// page shows the state of the server to people. It refreshes itself.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	status, err := s.status(r.Context(), pageRuns)
	if err != nil {
		writeError(w, err)
		return
	}
	renderPage(w, pageTemplate, status)
}

// runPage shows one run with its stages in time.
func (s *Server) runPage(w http.ResponseWriter, r *http.Request) {
	x, err := s.findRun(r.Context(), r.PathValue("id"))
	if err != nil {
		var p *api.Problem
		if errors.As(err, &p) {
			http.Error(w, p.Detail, p.Status)
			return
		}
		writeError(w, err)
		return
	}
	renderPage(w, runPageTemplate, newRunView(x))
}

// renderPage writes a page, or a problem and no half of one.
func renderPage(w http.ResponseWriter, t *template.Template, data any) {
	var page bytes.Buffer
	if err := t.Execute(&page, data); err != nil {
		writeError(w, fmt.Errorf("writing the page: %w", err))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_, _ = w.Write(page.Bytes())
}

// runView is a run as its page draws it.
type runView struct {
	api.Run
	Bars []stageBar
}

// stageBar is one stage on the time axis of its run, in percent of the axis.
type stageBar struct {
	run.Stage
	Offset time.Duration
	Left   float64
	Queue  float64
	Cold   float64
	Exec   float64
}

func newRunView(r api.Run) *runView {
	v := &runView{Run: r}
	span := r.Latency()
	if !r.Status.Ended() {
		span = time.Since(r.Start)
	}
	share := func(d time.Duration) float64 { return math.Min(100, 100*float64(d)/math.Max(1, float64(span))) }
	for _, st := range r.Stages {
		offset := st.Start.Sub(r.Start)
		v.Bars = append(v.Bars, stageBar{
			Stage: st, Offset: offset, Left: share(offset),
			Queue: share(st.Queue), Cold: share(st.ColdStart), Exec: share(st.Duration - st.Queue - st.ColdStart),
		})
	}
	return v
}

// milliseconds formats a duration for a table with one unit.
func milliseconds(d time.Duration) string {
	switch ms := float64(d) / float64(time.Millisecond); {
	case d == 0:
		return "–"
	case ms < 10:
		return fmt.Sprintf("%.2f", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f", ms)
	default:
		return fmt.Sprintf("%.0f", ms)
	}
}

// mebibytes formats an amount of memory without the odd bytes.
func mebibytes(b function.Bytes) string { return (b - b%function.MiB).String() }

func ago(t time.Time) string {
	d := time.Since(t)
	switch {
	case d < time.Second:
		return "now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	}
	return t.Format("2006-01-02 15:04")
}

func qosWords(q workflow.QoS) string {
	if q.Latency == 0 {
		return "nothing promised"
	}
	return fmt.Sprintf("%v %% within %s", q.Percentile, q.Latency)
}

func percent(n, of int) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}
