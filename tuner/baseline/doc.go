// Package baseline holds what the project's tuners are compared with: the
// oracle, and the methods of others, one file each, named by paper and as their
// authors describe them at their best.
package baseline
