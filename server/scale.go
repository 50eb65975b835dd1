package server

import (
	"context"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
)

// keepAlive is how long an idle instance stays under Reactive: what the large
// platforms did for years, and the fallback of every policy that forecasts.
const keepAlive = 10 * time.Minute

// Reactive keeps what the function's manifest declares warm. Whatever else is
// started is started because a request came, and stopped after ten idle minutes.
func Reactive(rev function.Revision) platform.Scale {
	return platform.Scale{Warm: rev.Function.Scale.Min, KeepAlive: keepAlive}
}

// scaleLoop asks the policy once in every window until ctx is done.
func (s *Server) scaleLoop(ctx context.Context) {
	tick := time.NewTicker(s.config.Window)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.scale(ctx)
		}
	}
}

// scale applies the policy to everything that is deployed.
func (s *Server) scale(ctx context.Context) {
	for _, f := range s.catalog.Load().functions {
		if err := s.platform.Scale(ctx, f.revision.Name, s.config.Scale(f.revision)); err != nil && ctx.Err() == nil {
			s.log.Error("scaling a revision", "revision", f.revision.Name, "error", err)
		}
	}
}
