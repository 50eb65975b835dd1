package experiment

import (
	"context"
	"errors"
	"fmt"
)

// interrupted says whether an experiment was stopped from outside when it already
// had something to show: it returns that then, with the error.
func interrupted(ctx context.Context, err error, done int) bool {
	return done > 0 && ctx.Err() != nil && errors.Is(err, context.Canceled)
}

func interruptedNote(done, of int, what string) string {
	return fmt.Sprintf("Interrupted: these are %d of %d %s.", done, of, what)
}
