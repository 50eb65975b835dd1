package rehearsal

import "time"

// Prices of a cold start, in seconds of idle instances, that plans choose from:
// from one at which nothing is kept to one at which what may be needed within half
// a day stays. Where starts are slow each doubling costs a third more or less.
var Prices = []float64{0.005, 1, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10_240, 20_480, 40_960}

// What plans are decided with, by servers and experiments alike.
const (
	// Loss is what a run that breaks the promise loses, in costs of a run. Plans that
	// break it in the whole of a budget of 5 % have to be a quarter cheaper than those
	// that always keep it.
	Loss = 6
	// Inertia is the share of its cost that has to be saved for a plan in force to
	// be changed.
	Inertia = 0.03
	// Caution is how many standard deviations of what is not known are kept between
	// the violations expected and the error budget.
	Caution = 1.5
	// HalfDay is for how long ahead an error budget is planned for at least.
	HalfDay = 12 * time.Hour
)
