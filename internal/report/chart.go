package report

import (
	"errors"
	"fmt"
	"math"
)

// Chart is a chart over two numeric axes.
type Chart struct {
	Title   string
	Caption string // what the reader should see, and under which conditions
	X, Y    Axis
	Series  []Series
}

// Axis describes one axis. Label is required; Unit is "" only for pure counts
// and ratios.
type Axis struct {
	Label string
	Unit  string
	// Log makes the axis logarithmic, and says so in its label.
	Log bool
	// Floating lets a linear axis begin at its smallest value instead of zero.
	// It suits positions (time, dates), never amounts that are compared.
	Floating bool
}

func (a Axis) title() string {
	s := a.Label
	switch {
	case a.Unit != "" && a.Log:
		s += " (" + a.Unit + ", log scale)"
	case a.Unit != "":
		s += " (" + a.Unit + ")"
	case a.Log:
		s += " (log scale)"
	}
	return s
}

// Mark says how a series is drawn.
type Mark int

// The marks of a series.
const (
	Line       Mark = iota // points joined by straight lines
	Points                 // points only
	LinePoints             // both, for the few measured points of a curve
	Step                   // constant from each point to the next
)

// Series is one set of points. X and Y have the same length. Lower and Upper
// are both nil or of that length too, and drawn as a band. A point with a NaN
// is a gap in the line.
type Series struct {
	Name         string
	X, Y         []float64
	Lower, Upper []float64
	Mark         Mark
	Dashed       bool // for references: an oracle, a target, a limit
	Strong       bool // for the series that the chart is about
}

func (c Chart) validate() error {
	if c.X.Label == "" || c.Y.Label == "" {
		return errors.New("both axes need a label")
	}
	for _, s := range c.Series {
		if len(s.X) != len(s.Y) {
			return fmt.Errorf("series %q has %d x and %d y values", s.Name, len(s.X), len(s.Y))
		}
		if (s.Lower == nil) != (s.Upper == nil) || s.Lower != nil && (len(s.Lower) != len(s.X) || len(s.Upper) != len(s.X)) {
			return fmt.Errorf("series %q has a band of another length than its %d points", s.Name, len(s.X))
		}
	}
	return nil
}

// drawable reports whether v can be placed on the axis.
func (a Axis) drawable(v float64) bool {
	return !math.IsNaN(v) && !math.IsInf(v, 0) && (!a.Log || v > 0)
}
