package function

import "fmt"

// Validate reports what is wrong with a range: Min and Max must be positive and
// ordered, Step positive and a divisor of their distance (any Step will do for
// a range of one value).
func (r Range) Validate() error {
	switch {
	case r.Min <= 0:
		return fmt.Errorf("minimum %d is not positive", r.Min)
	case r.Max < r.Min:
		return fmt.Errorf("maximum %d is below the minimum %d", r.Max, r.Min)
	case r.Step <= 0:
		return fmt.Errorf("step %d is not positive", r.Step)
	case (r.Max-r.Min)%r.Step != 0:
		return fmt.Errorf("step %d does not divide the distance %d from minimum to maximum", r.Step, r.Max-r.Min)
	}
	return nil
}

// Len returns the number of values of the grid. The range must be valid.
func (r Range) Len() int { return int((r.Max-r.Min)/r.Step) + 1 }

// At returns the i-th value, 0 <= i < Len.
func (r Range) At(i int) int64 { return r.Min + int64(i)*r.Step }

// Index returns the position of the value nearest to v, the lower one of two
// equally near.
func (r Range) Index(v int64) int {
	switch {
	case v <= r.Min:
		return 0
	case v >= r.Max:
		return r.Len() - 1
	}
	i := (v - r.Min) / r.Step
	if rest := v - r.Min - i*r.Step; rest > r.Step-rest {
		i++
	}
	return int(i)
}

// Contains reports whether v is a value of the grid.
func (r Range) Contains(v int64) bool {
	return v >= r.Min && v <= r.Max && (v-r.Min)%r.Step == 0
}

// Snap returns the value of the grid that is nearest to v.
func (r Range) Snap(v int64) int64 { return r.At(r.Index(v)) }

// SnapUp returns the smallest value of the grid that is at least v, or Max.
func (r Range) SnapUp(v int64) int64 {
	s := r.Snap(v)
	if s < v && s < r.Max {
		s += r.Step
	}
	return s
}

// Clamp returns v moved into [Min, Max], off the grid if v is.
func (r Range) Clamp(v int64) int64 { return max(r.Min, min(v, r.Max)) }

// Fixed returns the range that holds v only.
func Fixed(v int64) Range { return Range{Min: v, Max: v, Step: 1} }

// Validate reports what is wrong with either grid.
func (s Space) Validate() error {
	if err := s.CPU.Validate(); err != nil {
		return fmt.Errorf("cpu range: %w", err)
	}
	if err := s.Memory.Validate(); err != nil {
		return fmt.Errorf("memory range: %w", err)
	}
	return nil
}

// Len returns the number of configurations.
func (s Space) Len() int { return s.CPU.Len() * s.Memory.Len() }

// Contains reports whether r is a configuration of the space.
func (s Space) Contains(r Resources) bool {
	return s.CPU.Contains(int64(r.CPU)) && s.Memory.Contains(int64(r.Memory))
}

// Snap returns the configuration nearest to r, each resource by itself.
func (s Space) Snap(r Resources) Resources {
	return Resources{CPU: MilliCPU(s.CPU.Snap(int64(r.CPU))), Memory: Bytes(s.Memory.Snap(int64(r.Memory)))}
}

// Largest returns the configuration with the most of both resources.
func (s Space) Largest() Resources {
	return Resources{CPU: MilliCPU(s.CPU.Max), Memory: Bytes(s.Memory.Max)}
}

// Smallest returns the configuration with the least of both resources.
func (s Space) Smallest() Resources {
	return Resources{CPU: MilliCPU(s.CPU.Min), Memory: Bytes(s.Memory.Min)}
}
