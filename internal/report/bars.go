package report

import (
	"errors"
	"fmt"
	"html/template"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// Bars is a chart of amounts side by side: a group of bars for each thing that
// is measured, with a bar for each series.
type Bars struct {
	Title   string
	Caption string
	Y       Axis
	Groups  []string
	Series  []BarSeries
}

// BarSeries is one bar in every group: Values has as many as there are groups. A
// value that cannot be drawn, such as a NaN, leaves its place empty.
type BarSeries struct {
	Name   string
	Values []float64
	Strong bool // for the series that the chart is about
}

func (b Bars) validate() error {
	if b.Y.Label == "" {
		return errors.New("the axis needs a label")
	}
	if len(b.Groups) == 0 || len(b.Series) == 0 {
		return errors.New("there is nothing to show")
	}
	for _, s := range b.Series {
		if len(s.Values) != len(b.Groups) {
			return fmt.Errorf("series %q has %d values for %d groups", s.Name, len(s.Values), len(b.Groups))
		}
	}
	return nil
}

// Bars adds a chart of bars.
func (r *Report) Bars(b Bars) *Report {
	svg, notes, err := b.draw()
	if err != nil {
		return r.fail(fmt.Errorf("bars %q: %w", b.Title, err))
	}
	if b.Caption != "" {
		notes = append([]string{b.Caption}, notes...)
	}
	r.blocks = append(r.blocks, block{Kind: "chart", Text: b.Title, SVG: template.HTML(svg), Notes: notes, Keys: b.keys()})
	return r
}

func (b Bars) keys() []key {
	c := Chart{}
	for _, s := range b.Series {
		c.Series = append(c.Series, Series{Name: s.Name, Strong: s.Strong})
	}
	return c.keys()
}

// groupShare is the part of a group's width that its bars take.
const groupShare = 0.84

func (b Bars) draw() (string, []string, error) {
	if err := b.validate(); err != nil {
		return "", nil, err
	}
	p := newPlot(Chart{X: Axis{Floating: true}, Y: b.Y})
	floor := b.floor()
	width := groupShare / float64(len(b.Series))
	hidden := 0
	for i, s := range b.Series {
		fill := palette[i%len(palette)]
		for g, v := range s.Values {
			if !b.Y.drawable(v) {
				hidden++
				continue
			}
			left := float64(g) + 0.5 - groupShare/2 + float64(i)*width
			bar, err := plotter.NewPolygon(plotter.XYs{{X: left, Y: floor}, {X: left, Y: v}, {X: left + 0.92*width, Y: v}, {X: left + 0.92*width, Y: floor}})
			if err != nil {
				return "", nil, err
			}
			bar.Color = fill
			bar.LineStyle = draw.LineStyle{}
			if s.Strong {
				bar.LineStyle = draw.LineStyle{Color: ink, Width: 1.2}
			}
			p.Add(bar)
		}
	}
	fit(&p.Y, b.Y)
	if b.Y.Log {
		p.Y.Min = floor
	}
	p.X.Min, p.X.Max = 0, float64(len(b.Groups))
	p.X.Tick.Marker = groupTicks(b.Groups)
	p.X.Tick.Length = 0
	var notes []string
	if hidden > 0 {
		notes = append(notes, fmt.Sprintf("%d of %d bars cannot be placed on this axis and are not shown.", hidden, len(b.Groups)*len(b.Series)))
	}
	svg, err := render(p)
	return svg, notes, err
}

// floor is where bars begin: zero, or on a logarithmic axis, which has none, the
// power of ten at or below all values and below one.
func (b Bars) floor() float64 {
	if !b.Y.Log {
		return 0
	}
	least := 1.0
	for _, s := range b.Series {
		for _, v := range s.Values {
			if b.Y.drawable(v) {
				least = math.Min(least, v)
			}
		}
	}
	return math.Pow(10, math.Floor(math.Log10(least*0.999)))
}

// groupTicks names the groups below their middles.
type groupTicks []string

func (t groupTicks) Ticks(_, _ float64) []plot.Tick {
	out := make([]plot.Tick, len(t))
	for i, name := range t {
		out[i] = plot.Tick{Value: float64(i) + 0.5, Label: name}
	}
	return out
}
