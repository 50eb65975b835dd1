package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aquatope/aquatope/server/client"
)

// ownServer is a server in a process and a folder of its own, for an experiment.
type ownServer struct {
	*peer
	client *client.Client
	self   string // this program
	dir    string // gone after close
}

// startOwnServer starts "aquatope up" with more flags. The caller must call close.
func startOwnServer(ctx context.Context, env *Env, flags ...string) (_ *ownServer, err error) {
	s := &ownServer{}
	if s.self, err = os.Executable(); err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	if s.dir, err = os.MkdirTemp("", "aquatope-experiment-"); err != nil {
		return nil, fmt.Errorf("starting the experiment: %w", err)
	}
	args := append([]string{"up", "--listen", "127.0.0.1:0", "--data", filepath.Join(s.dir, "data")}, flags...)
	if s.peer, err = startPeer(ctx, env, s.dir, "server", s.self, args...); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	if s.client, err = client.New(s.url); err != nil {
		s.stop()
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	return s, nil
}

// close ends the server and removes its folder.
func (s *ownServer) close() {
	s.client.Close()
	s.stop()
	_ = os.RemoveAll(s.dir) // in the system's folder for such things
}
