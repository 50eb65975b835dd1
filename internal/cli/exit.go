package cli

import (
	"context"
	"errors"
	"fmt"
)

// The exit codes of the program.
const (
	ExitOK          = 0
	ExitFailure     = 1
	ExitUsage       = 2   // unknown flag or command, wrong arguments
	ExitQoS         = 3   // the promise was not met, or cannot be
	ExitBudget      = 4   // stopped by a budget before the work was done
	ExitInterrupted = 130 // stopped by Ctrl-C
)

// ExitError is an error with an exit code of its own. A nil Err ends the
// program with the code and prints nothing: the output already said it.
type ExitError struct {
	Code int
	Err  error
}

func (e *ExitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

func (e *ExitError) Unwrap() error { return e.Err }

// Exit returns an error that ends the program with code.
func Exit(code int, err error) error { return &ExitError{Code: code, Err: err} }

// Usagef returns an error about how the program was called.
func Usagef(format string, args ...any) error {
	return &ExitError{Code: ExitUsage, Err: fmt.Errorf(format, args...)}
}

// interruptible is the error of a command that prints what it has when it is
// stopped: of the printing, or else of the work.
func interruptible(work, print error) error {
	if print != nil {
		return print
	}
	return work
}

// exitCode maps the error of a command to the exit code and the message to
// print; an empty message prints nothing.
func exitCode(ctx context.Context, err error) (code int, message string) {
	var exit *ExitError
	switch {
	case err == nil:
		return ExitOK, ""
	case errors.As(err, &exit):
		if exit.Err == nil {
			return exit.Code, ""
		}
		return exit.Code, exit.Error()
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return ExitInterrupted, "interrupted"
	}
	return ExitFailure, err.Error()
}
