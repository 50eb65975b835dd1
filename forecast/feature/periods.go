package feature

// repeated is the share of active windows at multiples of usual periods.
func (w *view) repeated(v *vector) {
	for _, p := range [...]int64{5, 10, 15, 30, 60} {
		hits, of, _ := w.hits(p, 8)
		v.add("multiples", (hits+w.rate)/(of+1))
	}
}

// hits looks at the last n multiples of a distance before the target: how many
// were active of how many that are known, and how many in a row from the last.
// Multiples within the windows not yet known are passed over.
func (w *view) hits(distance int64, n int) (hits, of, streak float64) {
	unknown := (w.target - w.h.Next()) / distance // multiples that are passed over
	if oldest := w.target - (unknown+int64(n))*distance; w.active == 0 || w.last < oldest {
		known := max((w.target-w.h.Start())/distance-unknown, 0)
		return 0, float64(min(known, int64(n))), 0 // long idle: none of them was active
	}
	for at := w.target - distance; n > 0 && at >= w.h.Start(); at -= distance {
		if at >= w.h.Next() {
			continue
		}
		n--
		of++
		if w.called(at) {
			hits++
			if streak == of-1 {
				streak++
			}
		}
	}
	return hits, of, streak
}

// phase is how often the minute of the hour was active, modulo the divisors of
// the hour, relative to chance.
func (w *view) phase(v *vector) {
	m := int(((w.target % hour) + hour) % hour)
	for _, p := range [...]int{2, 5, 10, 15, 20, 30, 60} {
		c := uint32(0)
		for i := m % p; i < hour; i += p {
			c += w.phases[i]
		}
		v.add("phase", (float64(c)*float64(p)+1)/(float64(w.active)+1))
	}
	v.add("minute of hour", float64(m))
	v.add("minute modulo 5", float64(m%5))
}

// period is how the target lies in a detected period.
func (w *view) period(v *vector, i int) {
	p := w.best[i]
	names := [...]string{"period", "period score", "period rate", "period hits", "period streak", "period off", "period near"}
	if p.lag == 0 {
		for _, n := range names {
			v.add(n, -1)
		}
		return
	}
	lag := int64(p.lag)
	hits, of, streak := w.hits(lag, 10)
	for j, x := range [...]float64{
		w.periodLogs[i][0],
		w.periodLogs[i][1],
		float64(w.lags.at(int(lag))) / float64(w.active),
		(hits + w.rate) / (of + 1),
		streak,
		min(w.age-float64(lag), 20),
		min(float64(w.h.ActiveIn(w.target-lag-1, w.target-lag+2)), 3),
	} {
		v.add(names[j], x)
	}
}

// evidence is the two largest shares of active windows that were followed by
// another at the distance that the target has from an active window.
func (w *view) evidence(v *vector) {
	var first, second uint32
	for at := range w.h.In(w.target-maxLag, w.target) {
		switch n := w.lags.at(int(w.target - at)); {
		case n > first:
			first, second = n, first
		case n > second:
			second = n
		}
	}
	v.add("evidence", float64(first)/(float64(w.active)+3))
	v.add("second evidence", float64(second)/(float64(w.active)+3))
}
