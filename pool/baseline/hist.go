package baseline

import (
	"math"
	"time"

	"github.com/aquatope/aquatope/pool"
)

// HistConfig holds the parameters of Hist; DefaultHist those of its paper.
type HistConfig struct {
	// Bins of one minute; idle times beyond them are out of range.
	Bins int
	// Head and Tail are the percentiles of idle time, in [0, 1], at which the
	// pre-warm window ends and the keep-alive window ends.
	Head, Tail float64
	// HeadMargin shortens the pre-warm window, TailMargin lengthens the
	// keep-alive, each as a share.
	HeadMargin, TailMargin float64
	// MinCV is the coefficient of variation of the bin counts from which a
	// histogram is representative, MinSamples the number of idle times.
	MinCV      float64
	MinSamples int
	// Standard is the keep-alive without a representative histogram.
	Standard time.Duration
	// MaxOutOfRange is the share of idle times out of range beyond which they
	// are forecast as a time series. ForecastPreWarm and ForecastKeep are the
	// shares of the forecast to wait and then to keep.
	MaxOutOfRange                 float64
	ForecastPreWarm, ForecastKeep float64
}

// DefaultHist holds the parameters of the paper.
var DefaultHist = HistConfig{
	Bins: 240, Head: 0.05, Tail: 0.99, HeadMargin: 0.10, TailMargin: 0.10,
	MinCV: 2, MinSamples: 5, Standard: 4 * time.Hour,
	MaxOutOfRange: 0.5, ForecastPreWarm: 0.85, ForecastKeep: 0.30,
}

// Hist is the hybrid histogram policy of Shahrad et al., Serverless in the Wild
// (USENIX ATC 2020), section 4: per function a histogram of idle times, whose
// head says how long to unload and whose tail how long to keep; a long
// keep-alive while the histogram is not representative; ARIMA for functions
// that mostly stay idle for longer than the histogram's range.
type Hist struct {
	cfg HistConfig
	fns []histFunction
}

type histFunction struct {
	bins       []uint32
	n, out     int
	squares    float64 // sum of squares of the bin counts
	head, tail pointer
	idleSince  time.Duration
	idle       bool
	recent     []float64 // latest idle times in minutes, for the series
}

// arimaHistory bounds how many idle times the series remembers.
const arimaHistory = 50

// NewHist returns the policy for that many functions.
func NewHist(functions int, cfg HistConfig) *Hist {
	h := &Hist{cfg: cfg, fns: make([]histFunction, functions)}
	for i := range h.fns {
		h.fns[i].bins = make([]uint32, cfg.Bins)
	}
	return h
}

// Name implements pool.Policy.
func (*Hist) Name() string { return "hist" }

// Plan implements pool.Policy.
func (*Hist) Plan(*pool.Snapshot) pool.Plan { return nil }

// Arrive implements pool.Policy: the function's idle time is over.
func (h *Hist) Arrive(e pool.Event) {
	f := &h.fns[e.Function]
	if !f.idle {
		return
	}
	f.idle = false
	minutes := (e.At - f.idleSince).Minutes()
	if len(f.recent) == arimaHistory {
		f.recent = append(f.recent[:0], f.recent[1:]...)
	}
	f.recent = append(f.recent, minutes)
	if minutes >= float64(h.cfg.Bins) {
		f.out++
		return
	}
	b := int(minutes)
	f.squares += float64(2*f.bins[b] + 1)
	f.bins[b]++
	f.n++
	f.head.add(f.bins, b, h.cfg.Head*float64(f.n))
	f.tail.add(f.bins, b, h.cfg.Tail*float64(f.n))
}

// Idle implements pool.Policy.
func (h *Hist) Idle(e pool.Event) (pool.Retention, bool) {
	f := &h.fns[e.Function]
	if e.Busy > 0 {
		// The function is not idle yet; the instance waits with the others.
		return pool.Retention{KeepAlive: h.cfg.Standard}, true
	}
	f.idle, f.idleSince = true, e.At
	return h.retention(f), true
}

func (h *Hist) retention(f *histFunction) pool.Retention {
	total := f.n + f.out
	if total >= h.cfg.MinSamples && float64(f.out) > h.cfg.MaxOutOfRange*float64(total) {
		if next, ok := forecastARIMA(f.recent); ok && next > 0 {
			return pool.Retention{PreWarm: minutes(h.cfg.ForecastPreWarm * next), KeepAlive: minutes(h.cfg.ForecastKeep * next)}
		}
		return pool.Retention{KeepAlive: h.cfg.Standard}
	}
	if f.n < h.cfg.MinSamples || f.cv() < h.cfg.MinCV {
		return pool.Retention{KeepAlive: h.cfg.Standard}
	}
	// The head rounds down to the start of its bin, the tail up to the end.
	preWarm := float64(f.head.bin) * (1 - h.cfg.HeadMargin)
	end := float64(f.tail.bin+1) * (1 + h.cfg.TailMargin)
	return pool.Retention{PreWarm: minutes(preWarm), KeepAlive: minutes(end - preWarm)}
}

// cv is the coefficient of variation of the bin counts.
func (f *histFunction) cv() float64 {
	bins := float64(len(f.bins))
	mean := float64(f.n) / bins
	return math.Sqrt(math.Max(0, f.squares/bins-mean*mean)) / mean
}

func minutes(m float64) time.Duration { return time.Duration(m * float64(time.Minute)) }

// pointer follows one quantile of a growing histogram: bin is the first whose
// cumulative count reaches the rank, below the count before it.
type pointer struct {
	bin   int
	below uint32
}

// add accounts for a sample in bin b and moves the pointer to the rank.
func (p *pointer) add(bins []uint32, b int, rank float64) {
	if b < p.bin {
		p.below++
	}
	for p.bin > 0 && float64(p.below) >= rank {
		p.bin--
		p.below -= bins[p.bin]
	}
	for p.bin < len(bins)-1 && (float64(p.below+bins[p.bin]) < rank || bins[p.bin] == 0) {
		p.below += bins[p.bin]
		p.bin++
	}
}
