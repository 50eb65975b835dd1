// Package fn serves the functions of the examples by the contract that
// Aquatope shares with Knative: HTTP on $PORT, ready as soon as it accepts,
// JSON in and JSON out, an orderly end on SIGTERM.
//
// Each example is one binary that holds all functions of its workflow; the
// first argument says which of them an instance serves:
//
//	func main() {
//		fn.Main(fn.Set{"greet": fn.Pure(greet)}, nil)
//	}
//
// Nothing here is required of a function: any program in any language that
// keeps the contract will do (see chain/parse.py for one in Python).
package fn
