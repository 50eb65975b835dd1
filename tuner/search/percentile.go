package search

// Percentile returns the p-quantile of x by linear interpolation between order
// statistics, in linear time on average. It reorders x, which must not be empty
// or hold NaN.
func Percentile(p float64, x []float64) float64 {
	h := p * float64(len(x)-1)
	k := int(h)
	selectKth(x, k)
	v := x[k]
	if k+1 < len(x) && h > float64(k) {
		next := x[k+1]
		for _, w := range x[k+2:] {
			next = min(next, w)
		}
		v += (h - float64(k)) * (next - v)
	}
	return v
}

// selectKth reorders x so that x[k] is where sorting would put it, nothing
// before it is larger and nothing after it smaller (Hoare, 1961).
func selectKth(x []float64, k int) {
	lo, hi := 0, len(x)-1
	for lo < hi {
		mid := lo + (hi-lo)/2
		if x[mid] < x[lo] {
			x[mid], x[lo] = x[lo], x[mid]
		}
		if x[hi] < x[lo] {
			x[hi], x[lo] = x[lo], x[hi]
		}
		if x[hi] < x[mid] {
			x[hi], x[mid] = x[mid], x[hi]
		}
		pivot := x[mid]
		i, j := lo, hi
		for i <= j {
			for x[i] < pivot {
				i++
			}
			for x[j] > pivot {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return
		}
	}
}
