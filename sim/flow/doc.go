// Package flow simulates whole workflows in virtual time: arrivals at the entry
// start runs, which invoke the functions of their stages along the graph, on
// instances that a pool policy keeps warm and a cluster has room for. A cold
// start delays everything after it in its run. Service times are drawn from
// measured profiles at the resources that the functions have at that moment.
//
// Every draw of a run depends on the seed, the workflow, the number of the run
// and the place in the graph only, so that two systems that face the same
// arrivals face the same luck.
//
// docs/explanation/simulator.md says what is simulated and what is not.
package flow
