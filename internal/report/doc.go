// Package report makes one self-contained HTML file of prose, tables and
// charts. The file needs no network, follows the reader's light or dark theme,
// prints well, and is the same byte for byte whenever the same content goes in.
//
// Charts are built so that they cannot mislead: axes carry a label and a unit,
// a linear axis of amounts starts at zero unless told otherwise, a logarithmic
// axis says so, and points that cannot be drawn are counted below the chart.
package report
