package local

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
)

// The drivers.
const (
	DriverProcess = "process" // instances are processes in control groups
	DriverDocker  = "docker"  // instances are containers of a Docker engine
)

// Config of a Platform. Zero fields get the defaults named here.
type Config struct {
	// DataDir is a folder for the platform's state. One platform uses it at a
	// time; the next one there ends what the last one left running. Required.
	DataDir string
	// Driver is DriverProcess (the default) or DriverDocker.
	Driver string
	// Capacity is what the limits of all instances may sum up to; by default
	// four times the machine's CPUs, as most instances are idle most of the time
	// and then use none, and nine tenths of its memory, which they keep.
	Capacity function.Resources
	// QueueLimit is how many requests may wait for one revision; by default 1000.
	QueueLimit int
	// QueueDeadline is how long a request waits for an instance before it is
	// rejected, the start-up of an instance that it waits for included; by
	// default 30 s.
	QueueDeadline time.Duration
	// KeepAlive applies to a revision until Scale is called; by default one minute.
	KeepAlive time.Duration
	// StopGrace is the time between SIGTERM and SIGKILL; by default 10 s.
	StopGrace time.Duration
	// MaxResponse bounds the body of a response, in bytes; by default 32 MiB.
	MaxResponse int64
	// Observer gets one Observation for every invocation. It must not block.
	Observer func(function.Observation)
	// StartObserver gets every start of an instance. It must not block.
	StartObserver func(platform.Start)
	// Logger gets what happens to instances and what functions print; by
	// default nothing is logged.
	Logger *slog.Logger
}

// overbooking is how often the CPUs of the machine are given out by default.
const overbooking = 4

// withDefaults checks the configuration and fills what is not set.
func (c Config) withDefaults() (Config, error) {
	if c.DataDir == "" {
		return c, errors.New("local platform: DataDir is not set")
	}
	dir, err := filepath.Abs(c.DataDir)
	if err != nil {
		return c, err
	}
	c.DataDir = dir
	if c.Driver == "" {
		c.Driver = DriverProcess
	}
	if c.Capacity.CPU <= 0 {
		c.Capacity.CPU = function.MilliCPU(1000 * overbooking * runtime.NumCPU())
	}
	if c.Capacity.Memory <= 0 {
		total, err := machineMemory()
		if err != nil {
			return c, fmt.Errorf("finding the machine's memory: %w; set Capacity.Memory", err)
		}
		c.Capacity.Memory = total / 10 * 9
	}
	setDefault(&c.QueueLimit, 1000)
	setDefault(&c.QueueDeadline, 30*time.Second)
	setDefault(&c.KeepAlive, time.Minute)
	setDefault(&c.StopGrace, 10*time.Second)
	setDefault(&c.MaxResponse, 32<<20)
	if c.Observer == nil {
		c.Observer = func(function.Observation) {}
	}
	if c.StartObserver == nil {
		c.StartObserver = func(platform.Start) {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

func setDefault[T int | int64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

func machineMemory() (function.Bytes, error) {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "MemTotal:" {
			kb, err := strconv.ParseInt(f[1], 10, 64)
			return function.Bytes(kb) * function.KiB, err
		}
	}
	return 0, errors.New("no MemTotal in /proc/meminfo")
}
