package bnn

import (
	"math"
	"math/rand/v2"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/nn"
)

const (
	steps    = 48 // windows that the encoder reads
	ahead    = 12 // windows that the decoder continues with, and of raw input
	channels = 5  // value, sine and cosine of hour of day and day of week
	calendar = 4
)

// standard is the z-score of a function.
type standard struct{ mean, sd float64 }

func standardise(counts []float64) standard {
	var s standard
	n := float64(max(len(counts), 1))
	for _, c := range counts {
		s.mean += c / n
	}
	for _, c := range counts {
		s.sd += (c - s.mean) * (c - s.mean) / n
	}
	s.sd = math.Sqrt(s.sd)
	if s.sd < 1e-6 {
		s.sd = 1 // a constant series: anything but zero will do
	}
	return s
}

// score returns the z-score, bounded so that one burst cannot wreck a step of
// training.
func (s standard) score(c float64) float32 {
	return float32(math.Max(-10, math.Min(20, (c-s.mean)/s.sd)))
}

// clock writes the calendar features of a window.
func clock(dst []float32, window int64) {
	const day, week = 1440, 7 * 1440
	d := 2 * math.Pi * float64(((window%day)+day)%day) / day
	w := 2 * math.Pi * float64(((window%week)+week)%week) / week
	dst[0], dst[1] = float32(math.Sin(d)), float32(math.Cos(d))
	dst[2], dst[3] = float32(math.Sin(w)), float32(math.Cos(w))
}

// example is a position in a series: the encoder reads the steps windows before
// it, the decoder continues from it.
type example struct{ series, at int }

// series is one function's dense history.
type series struct {
	name   string
	start  int64
	counts []float64
	standard
}

func newSeries(h *forecast.History) series {
	c := h.Dense(nil, h.Len())
	return series{h.Function, h.Next() - int64(len(c)), c, standardise(c)}
}

// encode writes the encoder's input for the windows before position at, as
// sample i of a batch of the given size.
func (s *series) encode(x nn.Matrix, i, batch, at int) {
	for t := range steps {
		row := x.Row(t*batch + i)
		w := at - steps + t
		row[0] = s.score(s.at(w))
		clock(row[1:], s.start+int64(w))
	}
}

// at returns the count at a position, the first one before the series began.
func (s *series) at(i int) float64 {
	if len(s.counts) == 0 {
		return 0
	}
	return s.counts[max(i, 0)]
}

// held returns the first position kept for validation: the last tenth.
func (s *series) held() int { return len(s.counts) - max(len(s.counts)/10, ahead) }

// ownExamples returns at most limit of the positions of one series that are
// kept for validation, the last ones.
func ownExamples(all []series, k, limit int) []example {
	var e []example
	for at := max(all[k].held(), steps, len(all[k].counts)-limit); at < len(all[k].counts); at++ {
		e = append(e, example{k, at})
	}
	return e
}

// examples draws at most limit positions that have a whole input and output,
// the last tenth of each series kept for validation.
func examples(all []series, limit int, r *rand.Rand) (train, validate []example) {
	for k := range all {
		n := len(all[k].counts)
		held := all[k].held()
		for at := steps; at+ahead <= n; at++ {
			switch {
			case at >= held:
				validate = append(validate, example{k, at})
			case at+ahead <= held:
				train = append(train, example{k, at})
			}
		}
	}
	thin := func(e []example, limit int) []example {
		r.Shuffle(len(e), func(i, j int) { e[i], e[j] = e[j], e[i] })
		return e[:min(len(e), limit)]
	}
	return thin(train, limit), thin(validate, max(limit/10, 100))
}
