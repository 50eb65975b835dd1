package cli

import (
	"fmt"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// Progress shows on stderr how far a command is: a bar that is redrawn where a
// person is looking, a line every few seconds elsewhere. Its methods may be
// called from several goroutines.
type Progress struct {
	env   *Env
	title string
	total int64

	mu       sync.Mutex // guards what follows
	current  int64
	note     string
	reported time.Time

	bars *mpb.Progress // nil where lines are printed
	bar  *mpb.Bar
}

// plainInterval is the time between lines where no bar can be drawn.
const plainInterval = 10 * time.Second

// Progress starts showing progress towards total, which is positive. The
// caller must call Done.
func (e *Env) Progress(title string, total int64) *Progress {
	p := &Progress{env: e, title: title, total: total, reported: time.Now()}
	if !e.StderrTTY || e.plain() {
		return p
	}
	p.bars = mpb.New(mpb.WithOutput(e.Stderr), mpb.WithWidth(40), mpb.WithRefreshRate(200*time.Millisecond))
	p.bar = p.bars.AddBar(total,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(title+" ")),
		mpb.AppendDecorators(
			decor.Percentage(decor.WCSyncSpace),
			decor.Any(func(decor.Statistics) string {
				p.mu.Lock()
				defer p.mu.Unlock()
				return "  " + p.note
			}),
		),
	)
	return p
}

// Set says that current of the total is done, and what to say beside it.
func (p *Progress) Set(current int64, note string) {
	p.mu.Lock()
	p.current, p.note = current, note
	due := p.bars == nil && time.Since(p.reported) >= plainInterval
	if due {
		p.reported = time.Now()
	}
	p.mu.Unlock()
	if due {
		p.env.Notef("%s %3.0f%%  %s", p.title, 100*float64(current)/float64(p.total), note)
	}
	if p.bar != nil {
		p.bar.SetCurrent(min(current, p.total-1))
	}
}

// Done removes the bar and, unless format is empty, leaves one line in its place.
func (p *Progress) Done(format string, args ...any) {
	if p.bar != nil {
		p.bar.Abort(true)
		p.bars.Wait()
	}
	if format != "" {
		p.env.Notef("%s", fmt.Sprintf(format, args...))
	}
}
