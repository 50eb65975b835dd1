package forecast

// Case is a function to backtest on: what is known of it when the test starts,
// and the counts of the windows after. The history grows by them.
type Case struct {
	History *History
	Future  []float64
}

// Score is the mean quality of one-step-ahead predictions over functions. A
// function's losses are averaged over its windows and divided by its mean
// demand in them, so that every function counts the same; functions without
// demand in the test have no scaled loss and count for coverage only.
type Score struct {
	Functions  int     // with demand in the test
	Pinball90  float64 // pinball loss of the 0.9-quantile, scaled
	CRPS       float64 // scaled
	SMAPE      float64 // of the median, in percent of 0 to 200
	Coverage90 float64 // randomised, of the 0.9-quantile, over all windows
	// Unscaled is the plain mean of the pinball loss over all windows, in
	// invocations: the busiest functions dominate it.
	Unscaled float64
	Windows  int // predictions made
}

// Backtest asks the forecaster for the next window of all cases together,
// scores it by what came, lets the histories grow, and so on until the longest
// future ends. Unless nil, around is called for every window with the call of
// the forecaster, which it must make: a place for clocks and cancellation. Its
// error ends the test.
func Backtest(f Forecaster, cases []Case, around func(window int, predict func()) error) (Score, error) {
	type sums struct{ pinball, crps, smape, demand float64 }
	acc := make([]sums, len(cases))
	var s Score
	longest := 0
	for _, c := range cases {
		longest = max(longest, len(c.Future))
	}
	covered := 0.0
	histories := make([]*History, 0, len(cases))
	for w := range longest {
		histories = histories[:0]
		for _, c := range cases {
			if w < len(c.Future) {
				histories = append(histories, c.History)
			}
		}
		var predicted [][]Distribution
		predict := func() { predicted = f.Forecast(histories, 1) }
		if around == nil {
			predict()
		} else if err := around(w, predict); err != nil {
			return Score{}, err
		}
		at := 0
		for i, c := range cases {
			if w >= len(c.Future) {
				continue
			}
			d, y := predicted[at][0], c.Future[w]
			at++
			a := &acc[i]
			loss := PinballLoss(0.9, d.Quantile(0.9), y)
			a.pinball += loss
			a.crps += CRPS(d, y)
			a.smape += SMAPE(d.Quantile(0.5), y)
			a.demand += y
			covered += Coverage(d, 0.9, y)
			s.Unscaled += loss
			s.Windows++
			extend(c.History, y)
		}
	}
	for i, c := range cases {
		a := acc[i]
		if a.demand == 0 {
			continue
		}
		s.Functions++
		s.Pinball90 += a.pinball / a.demand
		s.CRPS += a.crps / a.demand
		s.SMAPE += a.smape / float64(len(c.Future))
	}
	if n := float64(s.Functions); n > 0 {
		s.Pinball90 /= n
		s.CRPS /= n
		s.SMAPE /= n
	}
	if n := float64(s.Windows); n > 0 {
		s.Coverage90 = covered / n
		s.Unscaled /= n
	}
	return s, nil
}

// extend appends a count that came from a trace, and so is legal.
func extend(h *History, count float64) {
	if count == 0 {
		h.Advance(h.Next() + 1)
		return
	}
	if err := h.Observe(h.Next(), count); err != nil {
		panic("BUG: forecast: " + err.Error())
	}
}
