package report

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	chartWidth  = 640 // points
	chartHeight = 360
)

// ink is the colour of text and axes; the drawn SVG names it currentColor, so
// that it follows the theme of the page.
var ink = color.RGBA{R: 1, G: 2, B: 3, A: 255}

// palette is that of Okabe and Ito (2008), distinguishable with the common
// colour deficiencies and on light and dark paper; its black is replaced by a
// middle grey.
var palette = []color.RGBA{
	{0, 114, 178, 255},
	{213, 94, 0, 255},
	{0, 158, 115, 255},
	{204, 121, 167, 255},
	{230, 159, 0, 255},
	{86, 180, 233, 255},
	{128, 128, 128, 255},
	{170, 150, 20, 255},
}

// key is one entry of the legend, which stands below the chart as text: it
// never covers a curve and is read by screen readers.
type key struct {
	Name   string
	Colour template.CSS
	Style  template.CSS // border-style of the swatch
	Strong bool
}

func (c Chart) keys() []key {
	var out []key
	for i, s := range c.Series {
		if s.Name == "" {
			continue
		}
		col := palette[i%len(palette)]
		k := key{Name: s.Name, Colour: template.CSS(fmt.Sprintf("#%02x%02x%02x", col.R, col.G, col.B)), Style: "solid", Strong: s.Strong}
		if s.Dashed {
			k.Style = "dashed"
		}
		out = append(out, k)
	}
	return out
}

// draw returns the chart as an SVG element, and notes on what it does not show.
func (c Chart) draw() (string, []string, error) {
	if err := c.validate(); err != nil {
		return "", nil, err
	}
	p := newPlot(c)
	var notes []string
	drawn := 0
	for i, s := range c.Series {
		n, hidden, err := addSeries(p, c, s, i)
		if err != nil {
			return "", nil, fmt.Errorf("series %q: %w", s.Name, err)
		}
		if hidden > 0 {
			notes = append(notes, fmt.Sprintf("%s: %d of %d points cannot be placed on these axes and are not shown.", s.Name, hidden, len(s.X)))
		}
		drawn += n
	}
	if drawn == 0 {
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 1, 10, 1, 10
		notes = append(notes, "No points to show.")
	}
	fit(&p.X, c.X)
	fit(&p.Y, c.Y)
	svg, err := render(p)
	return svg, notes, err
}

// render returns a plot as an SVG element.
func render(p *plot.Plot) (string, error) {
	canvas := vgsvg.New(chartWidth, chartHeight)
	p.Draw(draw.New(canvas))
	var buf bytes.Buffer
	if _, err := canvas.WriteTo(&buf); err != nil {
		return "", err
	}
	svg := buf.String()
	svg = svg[strings.Index(svg, "<svg"):]
	return strings.ReplaceAll(svg, "#010203", "currentColor"), nil
}

func newPlot(c Chart) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.Transparent
	for _, a := range []struct {
		axis *plot.Axis
		of   Axis
	}{{&p.X, c.X}, {&p.Y, c.Y}} {
		a.axis.Label.Text = a.of.title()
		a.axis.Color, a.axis.LineStyle.Color = ink, ink
		a.axis.Label.TextStyle.Color, a.axis.Tick.Color, a.axis.Tick.Label.Color = ink, ink, ink
		a.axis.Tick.Marker = ticks{log: a.of.Log}
		if a.of.Log {
			a.axis.Scale = plot.LogScale{}
		}
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color = color.NRGBA{128, 128, 128, 60}
	grid.Horizontal.Color = grid.Vertical.Color
	p.Add(grid)
	return p
}

// fit rounds the range of an axis: amounts start at zero, a single value gets
// room around it, decades are whole.
func fit(a *plot.Axis, of Axis) {
	switch {
	case of.Log:
		a.Min, a.Max = math.Pow(10, math.Floor(math.Log10(a.Min))), math.Pow(10, math.Ceil(math.Log10(a.Max)))
		if a.Min == a.Max {
			a.Max *= 10
		}
	case !of.Floating:
		a.Min, a.Max = math.Min(a.Min, 0), math.Max(a.Max, 0)
		a.Max += 0.04 * (a.Max - a.Min)
	}
	if a.Min == a.Max {
		a.Max++
	}
}

// addSeries draws s and returns how many of its points are shown and hidden.
func addSeries(p *plot.Plot, c Chart, s Series, i int) (shown, hidden int, err error) {
	col := palette[i%len(palette)]
	style := draw.LineStyle{Color: col, Width: 1.3}
	if s.Strong {
		style.Width = 2.6
	}
	if s.Dashed {
		style.Dashes = []vg.Length{5, 3}
	}
	for _, run := range runs(c, s) {
		shown += len(run.points)
		if len(run.band) > 0 {
			band, err := plotter.NewPolygon(run.band)
			if err != nil {
				return 0, 0, err
			}
			band.LineStyle.Width = 0
			band.Color = color.NRGBA{R: col.R, G: col.G, B: col.B, A: 50}
			p.Add(band)
		}
		if s.Mark != Points {
			line, err := plotter.NewLine(run.points)
			if err != nil {
				return 0, 0, err
			}
			line.LineStyle = style
			if s.Mark == Step {
				line.StepStyle = plotter.PostStep
			}
			p.Add(line)
		}
		if s.Mark == Points || s.Mark == LinePoints || len(run.points) == 1 {
			dots, err := plotter.NewScatter(run.points)
			if err != nil {
				return 0, 0, err
			}
			dots.GlyphStyle = draw.GlyphStyle{Color: col, Radius: 1 + style.Width, Shape: draw.CircleGlyph{}}
			p.Add(dots)
		}
	}
	return shown, len(s.X) - shown, nil
}

type run struct{ points, band plotter.XYs }

// runs splits a series at the points that cannot be drawn.
func runs(c Chart, s Series) []run {
	var out []run
	for i := 0; i < len(s.X); {
		if !c.X.drawable(s.X[i]) || !c.Y.drawable(s.Y[i]) {
			i++
			continue
		}
		var r run
		var lower plotter.XYs
		banded := s.Lower != nil
		for ; i < len(s.X) && c.X.drawable(s.X[i]) && c.Y.drawable(s.Y[i]); i++ {
			r.points = append(r.points, plotter.XY{X: s.X[i], Y: s.Y[i]})
			if banded = banded && c.Y.drawable(s.Lower[i]) && c.Y.drawable(s.Upper[i]); banded {
				r.band = append(r.band, plotter.XY{X: s.X[i], Y: s.Upper[i]})
				lower = append(lower, plotter.XY{X: s.X[i], Y: s.Lower[i]})
			}
		}
		for j := len(lower) - 1; j >= 0; j-- {
			r.band = append(r.band, lower[j])
		}
		out = append(out, r)
	}
	return out
}
