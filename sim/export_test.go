package sim

// Check returns an error when the books of a running simulation do not balance.
func (s *Sim) Check() error { return s.fleet.Check() }
