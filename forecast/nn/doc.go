// Package nn is a small kit of neural-network layers in single precision:
// linear, LSTM, dropout, Adam. Every layer computes its own gradients, which
// the tests compare with finite differences. Matrix products are
// gonum's, or on processors with AVX2 two kernels in assembly, four times as
// fast; the build tag purego leaves them out.
//
// A layer remembers its last input for the backward pass, so one goroutine uses
// it at a time; Fork makes further users of the same weights.
package nn
