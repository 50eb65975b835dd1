package report

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed page.html.tmpl
var pageFS embed.FS

var page = template.Must(template.ParseFS(pageFS, "page.html.tmpl"))

// Report collects content in the order in which it will appear. Its methods
// return the report, so that calls chain; the first problem is reported by
// WriteTo.
type Report struct {
	title  string
	blocks []block
	err    error
}

type block struct {
	Kind  string // "section", "text", "table", "chart" or "pre"
	Text  string
	Table *tableView
	SVG   template.HTML // made by this package from numbers and escaped text
	Notes []string
	Keys  []key
}

// New returns an empty report.
func New(title string) *Report { return &Report{title: title} }

// Section starts a part of the report under a heading.
func (r *Report) Section(title string) *Report {
	r.blocks = append(r.blocks, block{Kind: "section", Text: title})
	return r
}

// Text adds paragraphs of plain text.
func (r *Report) Text(paragraphs ...string) *Report {
	for _, p := range paragraphs {
		r.blocks = append(r.blocks, block{Kind: "text", Text: p})
	}
	return r
}

// Preformatted adds text whose line breaks and columns matter, such as a
// manifest or the command that reproduces the report.
func (r *Report) Preformatted(text string) *Report {
	r.blocks = append(r.blocks, block{Kind: "pre", Text: text})
	return r
}

// Table adds a table.
func (r *Report) Table(t Table) *Report {
	v, err := t.view()
	if err != nil {
		return r.fail(fmt.Errorf("table %q: %w", t.Caption, err))
	}
	r.blocks = append(r.blocks, block{Kind: "table", Table: v})
	return r
}

// Chart adds a chart.
func (r *Report) Chart(c Chart) *Report {
	svg, notes, err := c.draw()
	if err != nil {
		return r.fail(fmt.Errorf("chart %q: %w", c.Title, err))
	}
	if c.Caption != "" {
		notes = append([]string{c.Caption}, notes...)
	}
	// The SVG comes from gonum/plot, which escapes the text it is given.
	r.blocks = append(r.blocks, block{Kind: "chart", Text: c.Title, SVG: template.HTML(svg), Notes: notes, Keys: c.keys()})
	return r
}

func (r *Report) fail(err error) *Report {
	if r.err == nil {
		r.err = err
	}
	return r
}

// WriteTo writes the report as HTML. It returns the first error of the calls
// that made it, and then writes nothing.
func (r *Report) WriteTo(w io.Writer) (int64, error) {
	if r.err != nil {
		return 0, fmt.Errorf("report %q: %w", r.title, r.err)
	}
	var buf bytes.Buffer
	if err := page.Execute(&buf, map[string]any{"Title": r.title, "Blocks": r.blocks}); err != nil {
		return 0, fmt.Errorf("report %q: %w", r.title, err)
	}
	return buf.WriteTo(w)
}
