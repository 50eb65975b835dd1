// Package experiment holds the comparisons that the project's claims rest on.
// Each gives every peer the same information, budget and seeds, and says how
// sure it is of what it found.
package experiment
