// Package bayesopt finds the minimum of a function that is expensive to
// evaluate, noisy, and subject to constraints that are only seen by evaluating:
// Bayesian optimisation.
//
// A [Study] is used by asking for points and telling what came of them; its
// decisions are a pure function of the observations and the random source. The
// pieces can be used alone: scrambled [Sobol] sequences, noisy expected
// improvement under constraints by quasi-Monte-Carlo ([NEI]), Thompson sampling
// in trust regions, and the diagnosis of outliers by leaving one out.
//
// All inputs live in the unit cube. Objectives are minimised; a constraint
// holds where its value is not positive.
package bayesopt
