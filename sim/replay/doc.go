// Package replay lives recorded runs through once more, in virtual time, under
// another pool policy: what would have happened.
//
// Known and used as it was are when every run came, the way that it took, how
// long each of its invocations was served, and what passed between the end of
// one and the beginning of those that waited for it. What the policy decides is
// whether an invocation finds an instance; so a cold start that is avoided, or
// one that is added, moves everything that came after it in its run.
package replay
