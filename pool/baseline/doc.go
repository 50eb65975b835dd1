// Package baseline holds the pool policies that this project is compared with,
// each as its authors describe it, with their parameters as defaults: one file
// for each, named by its paper.
package baseline
