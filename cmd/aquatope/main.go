// Command aquatope runs and sizes workflows of functions on one machine.
package main

import (
	"os"

	"github.com/aquatope/aquatope/internal/cli"
)

func main() {
	os.Exit(cli.Main(cli.SystemEnv(), os.Args[1:]))
}
