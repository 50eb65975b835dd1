// Package gp is exact Gaussian process regression for the small data sets of
// Bayesian optimisation: tens to a few hundred points, refitted after every
// observation.
//
// A [Model] says what is believed beforehand: a Matérn-5/2 kernel with one
// length-scale per input, a mean function, a noise model, and priors on the
// parameters of all three. [Model.Fit] finds the parameters of highest
// posterior density with analytic gradients; [Model.Condition] gives the
// [Posterior] for given parameters, which predicts, diagnoses its own data by
// leaving one out, takes in one more observation at quadratic cost, and draws
// whole functions.
//
// Formulas follow Rasmussen and Williams, Gaussian Processes for Machine
// Learning (2006), unless another source is named.
package gp
