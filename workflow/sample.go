package workflow

import "github.com/aquatope/aquatope/function"

// Samples returns the sample inputs of w: its own or, where it declares none, those
// of the first function in its document that does, given what functions declare.
func (w *Workflow) Samples(declared func(fn string) []function.Payload) []function.Payload {
	if len(w.Payloads) > 0 {
		return w.Payloads
	}
	for _, fn := range w.Functions() {
		if list := declared(fn); len(list) > 0 {
			return list
		}
	}
	return nil
}
