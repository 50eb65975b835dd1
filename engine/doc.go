// Package engine runs workflows on anything that invokes functions.
//
// A workflow is compiled once into a [Plan] (all expressions parsed, all jumps
// resolved) and then run any number of times. [Engine.Run] runs it while the
// caller waits. [Engine.Start] accepts an asynchronous run: its input is on
// the durable log before Start returns, the output of every stage is on the log
// before the next stage begins, and [Engine.Resume] takes up after a restart
// what was under way, without repeating completed stages. [Engine.Invoke] calls
// one function as a run of one stage, so that it is observed the same way.
//
// Replay needs no order of events: whatever a run cannot compute again (what a
// stage answered, when a wait ends, which branch won) is recorded under the
// task's path and its position in loops and retries, and everything else is a
// deterministic function of it. To keep it so, the jq function now and the
// times in $task and $workflow read a logical clock: the time of the last
// recorded event on the way to the task.
//
// JSON is decoded only where an expression needs it. A body that passes from
// the caller to a stage, or from one stage to the next, without a
// transformation is forwarded byte for byte.
package engine
