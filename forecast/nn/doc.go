// Package nn is a small kit of neural-network layers in single precision:
// linear, LSTM, dropout, Adam. Every layer computes its own gradients, which
// the tests compare with finite differences. Matrices are products of gonum's
// blas32.
//
// A layer remembers its last input for the backward pass, so one goroutine uses
// it at a time; Fork makes further users of the same weights.
package nn
