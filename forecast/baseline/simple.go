package baseline

import "github.com/aquatope/aquatope/forecast"

// LastValue predicts that the next windows are as the last one.
func LastValue() forecast.Learner {
	return model{"last-value", func() point { return new(lastValue) }}
}

type lastValue float64

func (p *lastValue) observe(c float64)   { *p = lastValue(c) }
func (p *lastValue) predict(int) float64 { return float64(*p) }

// averaged is the number of windows of the moving average.
const averaged = 10

// MovingAverage predicts the mean of the last ten windows.
func MovingAverage() forecast.Learner {
	return model{"moving-average", func() point { return &movingAverage{} }}
}

type movingAverage struct {
	last [averaged]float64
	n    int
	sum  float64
}

func (p *movingAverage) observe(c float64) {
	i := p.n % averaged
	p.sum += c - p.last[i]
	p.last[i] = c
	p.n++
}

func (p *movingAverage) predict(int) float64 {
	if p.n == 0 {
		return 0
	}
	return max(p.sum, 0) / float64(min(p.n, averaged))
}

// SeasonalNaive predicts the count of the same minute yesterday; of the same
// minute of the last hour as long as there is no yesterday.
func SeasonalNaive() forecast.Learner {
	return model{"seasonal-naive", func() point { return &seasonal{} }}
}

const day, hour = 1440, 60

type seasonal struct {
	last [day]float64
	n    int
}

func (p *seasonal) observe(c float64) {
	p.last[p.n%day] = c
	p.n++
}

func (p *seasonal) predict(k int) float64 {
	switch {
	case p.n >= day:
		return p.last[(p.n+k-1)%day]
	case p.n >= hour:
		// The last window at the same minute of the hour.
		back := hour - (k-1)%hour
		return p.last[p.n-back]
	case p.n > 0:
		return p.last[p.n-1]
	}
	return 0
}
