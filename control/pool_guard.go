package control

import "runtime/debug"

// guard runs a decision. One that panics is wrong, and may have left the
// policy's memory wrong too: nothing is decided any more, and every function has
// the fixed keep-alive, while the server goes on.
func (p *Pool) guard(doing string, decide func()) {
	defer func() {
		if bug := recover(); bug != nil {
			p.broken = true
			p.c.Logger.Error("BUG: a decision about the warm pool panicked; instances have a fixed keep-alive until the server is restarted",
				"doing", doing, "panic", bug, "stack", string(debug.Stack()))
		}
	}()
	decide()
}

// decides tells whether the policy is asked.
func (p *Pool) decides() bool { return p.c.Mode != ModeOff && !p.broken }
