// Package store keeps what Aquatope knows in one SQLite file: runs, the durable
// log of asynchronous runs, observations, deployments, decisions and trials.
//
// One goroutine writes, in batches. Events of the durable log are acknowledged
// only after an fsync that many of them share; observations and summaries of
// synchronous runs wait in bounded queues, so that writing never blocks an
// invocation, and what does not fit is counted as dropped. Readers have their
// own connections and see a consistent snapshot (write-ahead logging).
package store
