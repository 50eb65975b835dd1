package rehearsal

// Prices of a cold start, in seconds of idle instances, that plans choose from:
// from one at which nothing is kept to one at which hardly anything ends.
var Prices = []float64{0.005, 1, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 10_000}

// What plans are decided with, by servers and experiments alike.
const (
	// Thrift is how much more than the cheapest a plan may cost where that breaks
	// the promise less often.
	Thrift = 0.03
	// Caution is how many standard deviations of what is not known are kept between
	// the violations expected and the error budget.
	Caution = 1.5
)
