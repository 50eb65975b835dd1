package rehearsal

// Prices of a cold start, in seconds of idle instances, that plans choose from:
// from one at which nothing is kept to one at which hardly anything ends.
var Prices = []float64{0.005, 1, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 10_000}
