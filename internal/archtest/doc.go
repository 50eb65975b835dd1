// Package archtest holds tests only: the arrows of the architecture, what the
// functional core may use, and the customs of packages. docs/architecture.md
// explains the layers.
package archtest
