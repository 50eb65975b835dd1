package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/hurdle"
	"github.com/aquatope/aquatope/forecast/prior"
)

const (
	// judged windows at the end of the histories are kept from training, to
	// choose between the new model and the one in use.
	judged = 360
	// learnLeast is how many windows with arrivals make it worth it.
	learnLeast = 200
)

func (s *Server) modelFile() string { return filepath.Join(s.config.DataDir, "models", "pool.model") }

// learnLoop takes up the forecasting model and trains it on the server's own
// history from time to time.
func (s *Server) learnLoop(ctx context.Context) {
	model, due, err := s.loadModel()
	if err != nil {
		s.log.Error("there is no forecasting model: idle instances are kept for a fixed time", "error", err)
		s.warn("there is no forecasting model, so that the pool is not planned: " + err.Error())
		return
	}
	s.pool.SetModel(model)
	timer := time.NewTimer(max(0, time.Until(due)))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		better, err := s.learn(ctx, model)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.log.Error("training the forecasting model: the one in use stays", "error", err)
		case better != nil:
			model = better
			s.pool.SetModel(model)
		}
		timer.Reset(s.config.Learn)
	}
}

// loadModel returns the model that was trained here last, or the prior, and when
// to train the next: when the saved one has grown old, and at once where one was
// refused or is missing.
func (s *Server) loadModel() (m *hurdle.Model, due time.Time, err error) {
	info, err := os.Stat(s.modelFile())
	if err == nil {
		due = info.ModTime().Add(s.config.Learn)
		var data []byte
		if data, err = os.ReadFile(s.modelFile()); err == nil {
			if m, err = hurdle.Load(bytes.NewReader(data)); err == nil {
				return m, due, nil
			}
		}
	}
	if !errors.Is(err, os.ErrNotExist) {
		s.log.Warn("the saved forecasting model is refused, the general one is used until training made another", "file", s.modelFile(), "error", err)
		s.warn("the saved forecasting model is refused, the general one is used until training made another: " + err.Error())
	}
	m, err = prior.Load()
	return m, time.Time{}, err
}

// learn trains on all but the last windows and returns the model, saved, if it
// is better there than the one in use; nil if it is not, or too little came.
func (s *Server) learn(ctx context.Context, now *hurdle.Model) (*hurdle.Model, error) {
	end := control.WindowAt(time.Now(), s.config.Window)
	var train []*forecast.History
	active := 0
	for _, r := range s.revisions() {
		h, err := s.arrivals(ctx, r.Function.Name, end-judged)
		if err != nil {
			return nil, err
		}
		if h != nil {
			train = append(train, h)
			active += h.Active()
		}
	}
	if active < learnLeast {
		return nil, nil
	}
	model, err := prior.Learner().Train(train, forecast.Budget{Continue: s.paced(ctx)}, rand.New(rand.NewPCG(uint64(end), 0)))
	if err != nil || ctx.Err() != nil {
		return nil, err
	}
	trained := model.(*hurdle.Model)
	was, err := s.judge(ctx, now, end)
	if err != nil {
		return nil, err
	}
	is, err := s.judge(ctx, trained, end)
	if err != nil {
		return nil, err
	}
	s.log.Info("trained the forecasting model", "functions", len(train), "pinballLoss90", is, "before", was, "taken", is < was)
	if !(is < was) {
		return nil, nil
	}
	return trained, s.saveModel(trained)
}

// judge is the pinball loss of a model over the last windows.
func (s *Server) judge(ctx context.Context, m *hurdle.Model, end int64) (float64, error) {
	var cases []forecast.Case
	for _, r := range s.revisions() {
		past, err := s.arrivals(ctx, r.Function.Name, end-judged)
		if err != nil {
			return 0, err
		}
		all, err := s.arrivals(ctx, r.Function.Name, end)
		if err != nil {
			return 0, err
		}
		if past != nil && all != nil {
			cases = append(cases, forecast.Case{History: past, Future: all.Dense(nil, judged)})
		}
	}
	wait := s.paced(ctx)
	score, err := forecast.Backtest(m.New(), cases, func(_ int, predict func()) error {
		predict()
		wait()
		return ctx.Err()
	})
	return score.Pinball90, err
}

// paced lets work go on for its share of the time: it is to be called often,
// and sleeps.
func (s *Server) paced(ctx context.Context) func() bool {
	last, rest := time.Now(), 1/min(1, s.config.BackgroundCPU)-1
	return func() bool {
		pause := time.NewTimer(time.Duration(rest * float64(time.Since(last))))
		defer pause.Stop()
		select {
		case <-ctx.Done():
			return false
		case <-pause.C:
		}
		last = time.Now()
		return true
	}
}

// saveModel replaces the file of the model in one step.
func (s *Server) saveModel(m *hurdle.Model) error {
	var b bytes.Buffer
	if err := m.Save(&b); err != nil {
		return err
	}
	file := s.modelFile()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("saving the forecasting model: %w", err)
	}
	if err := os.WriteFile(file+".new", b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("saving the forecasting model: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("saving the forecasting model: %w", err)
	}
	return nil
}
