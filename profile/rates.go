package profile

import (
	"encoding/json"
	"fmt"
)

// Rates is a probability or a mean count: one number for all runs or, where they
// take other ways with other inputs, one for each of the workflow's inputs. In a
// file it is a number or a list.
type Rates []float64

// MarshalJSON implements [json.Marshaler].
func (r Rates) MarshalJSON() ([]byte, error) {
	if len(r) == 1 {
		return json.Marshal(r[0])
	}
	return json.Marshal([]float64(r))
}

// UnmarshalJSON implements [json.Unmarshaler].
func (r *Rates) UnmarshalJSON(text []byte) error {
	var one float64
	if json.Unmarshal(text, &one) == nil {
		*r = Rates{one}
		return nil
	}
	var list []float64
	if err := json.Unmarshal(text, &list); err != nil {
		return fmt.Errorf("%s is no number, nor a list with one for each input", text)
	}
	*r = list
	return nil
}

// check reports rates beyond what they can be, and a list that does not fit the
// number of inputs.
func (r Rates) check(what string, inputs int, most float64) error {
	if n := len(r); n != 1 && n != inputs || n == 0 {
		return fmt.Errorf("a %s of %d numbers: it needs one, or one for each of the workflow's %d inputs", what, n, inputs)
	}
	for _, v := range r {
		if !(v >= 0 && v <= most) {
			return fmt.Errorf("a %s of %v", what, v)
		}
	}
	return nil
}

// of returns the rate for an input.
func (r Rates) of(input int) float64 {
	if len(r) == 1 {
		return r[0]
	}
	return r[input]
}
