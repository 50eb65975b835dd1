package sandbox

import (
	"bufio"
	"io"
	"log/slog"
	"sync"
)

// Bounds of what is kept and logged of an instance's output.
const (
	tailLines = 20
	lineBytes = 2048
)

// Output reads what an instance writes to stdout and stderr, line by line:
// the last lines are kept for errors, all lines go to the log.
type Output struct {
	mu   sync.Mutex
	ring [tailLines]string
	n    int
	done chan struct{}
}

// NewOutput reads r until its end.
func NewOutput(r io.Reader, log *slog.Logger) *Output {
	o := &Output{done: make(chan struct{})}
	go o.read(r, log)
	return o
}

func (o *Output) read(r io.Reader, log *slog.Logger) {
	defer close(o.done)
	br := bufio.NewReaderSize(r, lineBytes)
	for {
		// A line longer than the buffer comes in parts: the first is kept.
		line, more, err := br.ReadLine()
		if err != nil {
			return
		}
		text := string(line)
		for more && err == nil {
			_, more, err = br.ReadLine()
		}
		if text == "" {
			continue
		}
		o.mu.Lock()
		o.ring[o.n%tailLines] = text
		o.n++
		o.mu.Unlock()
		log.Info("function output", "line", text)
	}
}

// Done is closed when the output has ended.
func (o *Output) Done() <-chan struct{} { return o.done }

// Tail returns the last lines, oldest first.
func (o *Output) Tail() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	lines := make([]string, 0, tailLines)
	for i := max(0, o.n-tailLines); i < o.n; i++ {
		lines = append(lines, o.ring[i%tailLines])
	}
	return lines
}
