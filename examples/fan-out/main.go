// Command fan-out holds the functions of the fan-out example: the price of a
// financial option is found by simulation, cut into parts that run at the same
// time and merged into one estimate with its error.
package main

import "github.com/aquatope/aquatope/examples/fn"

func main() {
	fn.Main(fn.Set{
		"split":    fn.Pure(split),
		"simulate": fn.Pure(simulate),
		"merge":    fn.Pure(merge),
	}, nil)
}
