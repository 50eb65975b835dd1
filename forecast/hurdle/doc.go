// Package hurdle is the project's own forecaster and the default: one global
// model over all functions that predicts whether a function is called in its
// next window, and how often if so.
//
// The first is the average, in logits, of boosted trees and a small network,
// both on the features of package feature. The second is a set of quantiles
// from the same network, relative to the running level and spread of the
// function, and corrected by what the function's own last predictions were
// worth (conformal, Vovk et al. 2005, on the probability integral transform).
// docs/explanation/forecasting.md says how it was chosen and what it is worth.
package hurdle
