// Package control closes the loops: it observes, decides and applies. A loop is a
// Step(ctx, now) that the server and the simulator call alike; the worlds that it
// acts on are interfaces declared here.
package control
