package server

import (
	"log/slog"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform/local"
)

// Config of a Server. Zero fields get the defaults named here.
type Config struct {
	// DataDir holds everything that outlives the process. One server uses it
	// at a time. Required.
	DataDir string
	// Driver runs instances: local.DriverProcess (the default) or local.DriverDocker.
	Driver string
	// Version is what the server calls itself.
	Version string
	// Capacity is what the limits of all instances may sum up to; for the
	// default see local.Config.
	Capacity function.Resources
	// QueueDeadline is how long a request waits for an instance before it is
	// answered with 503; by default 30 s.
	QueueDeadline time.Duration
	// MaxBody bounds requests, in bytes; by default 32 MiB.
	MaxBody int64
	// Price is the price list for costs; by default that of Cloud Run.
	Price function.Price
	// Pool says what the pool scheduler may do; by default control.ModeOff.
	Pool control.Mode
	// Window is the time between two plans of the pool scheduler, and the unit
	// of its forecasts; by default 60 s.
	Window time.Duration
	// Learn is how old the server's own forecasting model may grow before another
	// is trained; by default 1,440 windows: a day at a window of a minute.
	Learn time.Duration
	// BackgroundCPU is the part of one CPU that training takes; by default 0.2.
	BackgroundCPU float64
	// Logger gets what happens; by default nothing is logged.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.MaxBody <= 0 {
		c.MaxBody = 32 << 20
	}
	if c.Driver == "" {
		c.Driver = local.DriverProcess
	}
	if c.Price == (function.Price{}) {
		c.Price, _ = function.LookupPrice("cloud-run")
	}
	if c.Pool == "" {
		c.Pool = control.ModeOff
	}
	if c.Window <= 0 {
		c.Window = time.Minute
	}
	if c.Learn <= 0 {
		c.Learn = 1440 * c.Window
	}
	if c.BackgroundCPU <= 0 {
		c.BackgroundCPU = 0.2
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}
