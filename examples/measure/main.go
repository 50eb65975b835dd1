// Command measure shows that limits of CPU mean what they say: it runs a
// function of the ml-pipeline example with a quarter, a half and a whole CPU
// and compares its execution times with what the quota promises, the CPU time
// that was used divided by the share. It ends with 1 when one is off by more
// than the tolerance, or when limits cannot be set here.
//
//	make examples && go run ./examples/measure
//	go run ./examples/measure -function ml-classify-digit    # short: 10 to 50 ms
//
// The shares take turns, so that whatever else the machine does hits all of
// them. A machine too busy to give a whole CPU shows as a deviation of that row.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/aquatope/aquatope/function"
)

var shares = []function.MilliCPU{1000, 500, 250}

func main() {
	var (
		name      = flag.String("function", "ml-detect", "function of the ml-pipeline example to measure")
		photo     = flag.String("photo", "phone-1.jpg", "its input: what the stages before it make of this photo")
		rounds    = flag.Int("rounds", 15, "executions with each share")
		tolerance = flag.Float64("tolerance", 0.15, "greatest deviation that is accepted")
	)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ok, err := measure(ctx, *name, *photo, *rounds, *tolerance)
	if err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
	}
	if err != nil || !ok {
		stop()
		os.Exit(1)
	}
}
