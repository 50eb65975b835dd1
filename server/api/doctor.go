package api

// CheckStatus says how one check of the doctor ended.
type CheckStatus string

// How a check ends.
const (
	CheckOK   CheckStatus = "ok"
	CheckWarn CheckStatus = "warn" // works, with something missing
	CheckFail CheckStatus = "fail"
)

// Check is one thing that was looked at.
type Check struct {
	Name   string      `json:"name"`
	Status CheckStatus `json:"status" enum:"ok,warn,fail"`
	Detail string      `json:"detail"`
	Hint   string      `json:"hint,omitempty" doc:"What to do about it."`
}

// Doctor is what a machine can and cannot do.
type Doctor struct {
	Checks []Check `json:"checks"`
}
