// Package load drives workflows open-loop: requests are sent when a schedule
// says so, whether or not earlier ones have been answered, as independent
// users would. Latency is measured from the moment at which a request was due,
// not from the moment at which the generator got round to sending it, so that
// a stalled system or generator cannot hide the requests it delayed
// (coordinated omission).
//
// Schedules are pure: sequences of arrivals that follow from a seed. Run is
// the one place that waits.
package load
