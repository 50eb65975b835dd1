// Package baseline holds the forecasters that the project's own is compared
// with: last value, moving average, seasonal naive, exponential smoothing, and
// IceBreaker's Fourier extrapolation. Each predicts one number; the
// distribution around it is the one of its own last errors on the same function
// (split conformal prediction on a sliding window), which is the best that can
// be made of them without changing what they are.
package baseline
