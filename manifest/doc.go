// Package manifest reads what users write: workflows as Open Workflow
// Specification DSL 1.0 documents and functions as Knative Service documents,
// in YAML or JSON, several to a file. It is strict: a key or a value that it
// does not know is an error with a position and a way out, never ignored.
//
// docs/reference/workflow.md and docs/reference/function.md list what is
// supported.
package manifest
