// Package pool decides which instances are kept warm.
//
// A Policy sees what a platform reports and answers with what it wants; it
// never acts. The same policy code runs in the simulator and beside the live
// platform: once per window it makes a Plan of Targets from a Snapshot, and
// between windows it may react to single invocations. Policies that only plan
// embed Planner, policies that only react embed Reactor.
//
// Functions are named by their index in the list that a policy was made for.
// Instants are durations since an epoch that the caller chooses; a policy that
// needs the calendar is given the epoch when it is made.
package pool
