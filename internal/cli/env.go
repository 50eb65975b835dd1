package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/mattn/go-isatty"
)

// Env is everything a command may touch of the process it runs in.
type Env struct {
	Stdin  io.Reader
	Stdout io.Writer // data
	Stderr io.Writer // progress, notes, errors
	Getenv func(string) string
	Dir    string // working directory: relative paths and the project file start here

	// StdoutTTY and StderrTTY say whether a person is looking.
	StdoutTTY, StderrTTY bool

	flags globalFlags
}

// globalFlags are the flags that every command has.
type globalFlags struct {
	output string
	server string
}

// SystemEnv returns the Env of this process.
func SystemEnv() *Env {
	dir, err := os.Getwd()
	if err != nil {
		dir = "."
	}
	return &Env{
		Stdin:     os.Stdin,
		Stdout:    os.Stdout,
		Stderr:    os.Stderr,
		Getenv:    os.Getenv,
		Dir:       dir,
		StdoutTTY: isatty.IsTerminal(os.Stdout.Fd()),
		StderrTTY: isatty.IsTerminal(os.Stderr.Fd()),
	}
}

// Notef writes one line for people to stderr.
func (e *Env) Notef(format string, args ...any) {
	fmt.Fprintf(e.Stderr, format+"\n", args...)
}

// plain says that output must not be coloured or redrawn: NO_COLOR is set
// (https://no-color.org) or the terminal says that it is dumb.
func (e *Env) plain() bool {
	return e.Getenv("NO_COLOR") != "" || e.Getenv("TERM") == "dumb"
}
