// Package workflow is the vocabulary of workflows: the tasks that a user
// declares (after the Open Workflow Specification DSL 1.0), the promise that
// goes with them, and the graph of stages with the composition of latency
// along it.
package workflow
