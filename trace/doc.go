// Package trace holds invocation traces: how often every function of a
// platform was called in every minute, how long its calls took and how much
// memory it used.
//
// Readers exist for the two formats that Microsoft published for Azure
// Functions: 2019 (one file a day, one row a function, one column a minute,
// Shahrad et al., USENIX ATC 2020) and 2021 (one row an invocation, Zhang et
// al., SOSP 2021). A published trace often lacks durations or memory; Complete
// draws what is missing from a stated distribution and says so in the notes of
// the trace, which every report repeats.
package trace
