// Command chain holds the functions of the chain example that are written in
// Go: a shop's orders, parsed by a function in Python (parse.py), are priced,
// rendered as statements, sealed, and stored, one after the other.
package main

import "github.com/aquatope/aquatope/examples/fn"

func main() {
	fn.Main(fn.Set{
		"price":  fn.Pure(price),
		"render": startRender,
		"seal":   fn.Pure(seal),
		"store":  fn.Pure(store),
	}, prepare)
}
