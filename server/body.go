package server

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aquatope/aquatope/server/api"
)

// readBody reads a request's body into one buffer of the right size. A body
// that is larger than limit is refused by its declared length without being
// read, or as soon as more has come in.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	n := r.ContentLength
	switch {
	case n > limit:
		// Tells net/http not to read the rest to keep the connection.
		w.Header().Set("Connection", "close")
		return nil, tooLarge(limit)
	case n == 0:
		return nil, nil
	case n > 0:
		body := make([]byte, n)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, cutShort(err)
		}
		return body, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return nil, tooLarge(limit)
	}
	if err != nil {
		return nil, cutShort(err)
	}
	return body, nil
}

func tooLarge(limit int64) error {
	return &api.Problem{
		Title:  "Request body too large",
		Status: http.StatusRequestEntityTooLarge,
		Detail: fmt.Sprintf("the request's body is larger than %d bytes", limit),
		Hint:   "pass large data by reference: store it and send where it is",
	}
}

func cutShort(err error) error {
	return &api.Problem{
		Title:  "Request body cut short",
		Status: http.StatusBadRequest,
		Detail: "reading the request's body: " + err.Error(),
	}
}
