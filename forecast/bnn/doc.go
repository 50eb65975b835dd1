// Package bnn is the forecaster of the Aquatope paper (Zhou, Zhang and
// Delimitrou, ASPLOS 2023, section 4): a hybrid Bayesian neural network. An LSTM
// encoder-decoder learns to continue windows of demand; a small network then
// predicts the next one from what the encoder extracted and the time of day.
// Monte-Carlo dropout (Gal and Ghahramani, 2016) through both gives the mean and
// the uncertainty of the model, the residuals on held-out windows the noise that
// is inherent.
//
// The network is as described, with the faults of the published code repaired:
// no dropout on the encoder's single output unit, the inherent noise is added,
// the first value of the window is added back, all Monte-Carlo passes run as one
// batch after the part that they share, and the prediction network is trained
// on features encoded once. Learner.Published restores the first two,
// for comparison.
//
// One network is trained over all functions, or with Learner.PerFunction one
// for each, as in the paper.
package bnn
