// Package function is the vocabulary of functions: what a user deploys, the
// resources it may be given, the revisions that result, what an invocation of
// one looked like and what it cost. It holds values, no behaviour of a platform.
package function
