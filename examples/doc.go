// Package examples holds five workflows with functions that do real work, after
// those of the Aquatope paper; README.md introduces them. This package itself
// only tests that they deploy and run.
package examples
