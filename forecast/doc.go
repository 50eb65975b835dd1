// Package forecast predicts how often functions will be called in their next
// windows, as distributions.
//
// Time is counted in windows, numbered from a Monday 00:00; a window is a
// minute unless a caller decides otherwise, and then calendar effects scale
// with it. A History holds what is known of one function. A Model, trained once
// over many functions by a Learner, makes Forecasters, which are asked once per
// window for all functions together and keep what they need to correct
// themselves. Nothing here reads a clock or draws from a global random source.
package forecast
