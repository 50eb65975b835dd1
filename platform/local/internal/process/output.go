package process

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

// output reads what an instance writes to stdout and stderr, line by line:
// the last lines are kept for errors, all lines go to the log.
type output struct {
	mu   sync.Mutex
	ring [tailLines]string
	n    int
	done chan struct{}
}

func newOutput(r io.Reader, log *slog.Logger) *output {
	o := &output{done: make(chan struct{})}
	go o.read(r, log)
	return o
}

func (o *output) read(r io.Reader, log *slog.Logger) {
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

// tail returns the last lines, oldest first.
func (o *output) tail() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	lines := make([]string, 0, tailLines)
	for i := max(0, o.n-tailLines); i < o.n; i++ {
		lines = append(lines, o.ring[i%tailLines])
	}
	return lines
}
