// Package profile holds measured service times of a workflow's functions over a
// grid of CPU and memory, and turns them into a model that can be sampled at any
// resources in between: the truth that experiments and the simulator use. No
// formula is fitted; what was measured is interpolated, noise and outliers
// included.
//
// The file format is described in docs/reference/profile-format.md.
package profile
