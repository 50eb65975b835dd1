package fn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// maxBody bounds an input; the largest that an example passes on is a few MiB.
const maxBody = 32 << 20

// JSON makes an HTTP handler of a function over values. An error of f becomes
// status 400 if it is from Invalidf and 500 otherwise, with the reason as an
// RFC 9457 problem.
func JSON[In, Out any](f func(context.Context, In) (Out, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&in); err != nil {
			problem(w, http.StatusBadRequest, fmt.Errorf("reading the input: %w", err))
			return
		}
		out, err := f(r.Context(), in)
		var invalid *invalidError
		switch {
		case errors.As(err, &invalid):
			problem(w, http.StatusBadRequest, err)
		case err != nil:
			problem(w, http.StatusInternalServerError, err)
		default:
			answer(w, http.StatusOK, "application/json", out)
		}
	})
}

// Pure is the Start of a function that needs nothing loaded.
func Pure[In, Out any](f func(context.Context, In) (Out, error)) Start {
	return func() (http.Handler, error) { return JSON(f), nil }
}

// Invalidf is an error for which the caller's input is to blame.
func Invalidf(format string, args ...any) error {
	return &invalidError{fmt.Sprintf(format, args...)}
}

type invalidError struct{ reason string }

func (e *invalidError) Error() string { return e.reason }

func problem(w http.ResponseWriter, status int, err error) {
	answer(w, status, "application/problem+json", map[string]any{
		"status": status, "title": http.StatusText(status), "detail": err.Error(),
	})
}

func answer(w http.ResponseWriter, status int, contentType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller is gone if this does not arrive
}
