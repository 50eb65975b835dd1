// Package api is the language of the HTTP API under /api/v1: the documents
// that the server writes and clients read. Names of fields end in their unit;
// durations are whole nanoseconds, times RFC 3339.
package api
