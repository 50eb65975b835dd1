package workflow

// CriticalPath appends to dst the slots whose service times add up (with the
// delays between them) to the latency of the run that Latency would compute, in
// order of time: shortening any other slot does not shorten that run.
func (c *Composition) CriticalPath(service, uniform []float64, dst []int) []int {
	return c.critical(int32(len(c.steps)-1), service, uniform, dst)
}

func (c *Composition) critical(i int32, service, uniform []float64, dst []int) []int {
	s := &c.steps[i]
	took := func(k int32) float64 { return c.end(k, 0, service, uniform, nil) }
	switch s.kind {
	case KindStage:
		return append(dst, s.slot)
	case KindSeries:
		for _, k := range s.kids {
			dst = c.critical(k, service, uniform, dst)
		}
	case KindParallel, KindRace:
		if len(s.kids) == 0 {
			return dst
		}
		best, time := s.kids[0], took(s.kids[0])
		for _, k := range s.kids[1:] {
			if t := took(k); s.kind == KindParallel && t > time || s.kind == KindRace && t < time {
				best, time = k, t
			}
		}
		return c.critical(best, service, uniform, dst)
	case KindChoice:
		return c.critical(s.kids[s.way(c.ways).chosen(uniform[s.uniform])], service, uniform, dst)
	case KindLoop:
		return c.criticalLoop(s, service, uniform, dst)
	}
	return dst
}

// criticalLoop follows the place that is busy longest: one that has work is
// never idle before its last iteration.
func (c *Composition) criticalLoop(s *step, service, uniform []float64, dst []int) []int {
	var free [maxIterations]float64
	var placeOf [maxIterations]int
	kids, scale := s.iterations(c.ways, uniform)
	width := min(s.width, len(kids))
	longest := 0
	for n, k := range kids {
		place := 0
		for j := 1; j < width; j++ {
			if free[j] < free[place] {
				place = j
			}
		}
		placeOf[n] = place
		free[place] += scale * c.end(k, 0, service, uniform, nil)
		if free[place] > free[longest] {
			longest = place
		}
	}
	for n, k := range kids {
		if placeOf[n] == longest {
			dst = c.critical(k, service, uniform, dst)
		}
	}
	return dst
}
