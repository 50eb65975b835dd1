// Package sandbox is the contract between the local platform, which decides
// what runs, and its drivers, which run it: a process in a cgroup or a
// container of an engine.
package sandbox

import (
	"context"
	"errors"
	"time"

	"github.com/aquatope/aquatope/function"
)

// ErrPortTaken means that another program took the instance's port before the
// instance did. A start on another port may work.
var ErrPortTaken = errors.New("the instance's port was taken by another program")

// Spec is what one instance is started from.
type Spec struct {
	Instance string // unique on this machine; a valid file and host name
	Revision function.Revision
}

// Driver starts instances. It is safe for concurrent use.
type Driver interface {
	// Start returns as soon as the instance exists; it may not listen yet.
	// The instance outlives ctx, which bounds the start only.
	Start(ctx context.Context, spec Spec) (Instance, error)
	// Enforced says which limits take effect here.
	Enforced() Enforced
	// Close frees what the driver holds. All instances were stopped before.
	Close() error
}

// Enforced says what of an instance's resources is limited and measured.
type Enforced struct {
	CPU    bool
	Memory bool
	Reason string // why something is not, and what to do about it
}

// Instance is one running sandbox. Its methods are safe for concurrent use,
// and cheap where they are used around every invocation.
type Instance interface {
	// Addr is where the function listens: host:port.
	Addr() string
	// Verify reports an error if what accepts on Addr is not this instance;
	// ErrPortTaken if it is somebody else.
	Verify() error
	// Done is closed when the instance's main process has ended.
	Done() <-chan struct{}
	// Alive reports whether the main process exists and is not ending, which the
	// kernel knows some time before Done is closed.
	Alive() bool
	// Exit says how it ended, in words; valid after Done.
	Exit() string
	// CPUTime is what the instance has used since its start; ok is false
	// where it cannot be measured.
	CPUTime() (used time.Duration, ok bool)
	// ResetPeak starts a new measurement of the peak of memory.
	ResetPeak()
	// PeakMemory is the peak since ResetPeak, 0 where it cannot be measured.
	PeakMemory() function.Bytes
	// OOMKills counts processes of the instance killed at its memory limit.
	OOMKills() int
	// Tail returns the last lines that the instance wrote.
	Tail() []string
	// Stop asks the instance to end, ends it after grace, and returns when
	// nothing of it is left.
	Stop(grace time.Duration) error
}
