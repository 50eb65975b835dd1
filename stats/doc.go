// Package stats holds the small statistics that everything shares: seeded
// random streams, quantiles, sketches and intervals.
package stats
