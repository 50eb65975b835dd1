package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aquatope/aquatope/examples/fn"
)

type postID struct {
	ID int64 `json:"id"`
}

// startUniqueID hands out numbers that grow with time: hundredths of a second
// since 2026, 11 bits that the instance draws at its start, and a counter of 8
// bits. 53 bits in all, because JSON readers keep no more.
func startUniqueID() (http.Handler, error) {
	instance := int64(rand.IntN(1 << 11))
	epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var counter atomic.Int64
	return fn.JSON(func(context.Context, struct{}) (postID, error) {
		hundredths := time.Since(epoch).Milliseconds() / 10
		return postID{hundredths<<19&(1<<53-1) | instance<<8 | counter.Add(1)&0xff}, nil
	}), nil
}
