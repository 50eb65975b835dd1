package sandbox

import (
	"bufio"
	"io"
	"log/slog"
	"sync"
	"time"
)

// Bounds of what is kept and logged of an instance's output. A function that
// prints more than linesPerSecond has the rest counted instead of logged.
const (
	tailLines      = 20
	lineBytes      = 2048
	linesPerSecond = 100
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
	second, logged, dropped := time.Now(), 0, 0
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
		o.keep(text)
		if now := time.Now(); now.Sub(second) >= time.Second {
			if dropped > 0 {
				log.Warn("function output left out", "lines", dropped)
			}
			second, logged, dropped = now, 0, 0
		}
		if logged++; logged > linesPerSecond {
			dropped++
			continue
		}
		log.Info("function output", "line", text)
	}
}

func (o *Output) keep(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ring[o.n%tailLines] = line
	o.n++
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
