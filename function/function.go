package function

import "time"

// Function is one deployable unit of code, as declared in its manifest. The
// zero values of optional fields are filled by the manifest reader; a Function
// that reaches a platform is complete.
type Function struct {
	Name      string   `json:"name"`
	Namespace string   `json:"namespace,omitempty"`
	Image     string   `json:"image,omitempty"`   // for drivers that run containers
	Command   []string `json:"command,omitempty"` // for the process driver: path and leading arguments
	// Entrypoint replaces the entry point of Image; empty keeps it. Args follow it.
	Entrypoint []string `json:"entrypoint,omitempty"`
	// Digest identifies the content of the files that Command and Args name, so
	// that rebuilt code is a new revision.
	Digest    string            `json:"digest,omitempty"`
	Args      []string          `json:"args,omitempty"`
	Env       []EnvVar          `json:"env,omitempty"`
	Dir       string            `json:"dir,omitempty"` // working directory of the process driver, absolute
	Resources Resources         `json:"resources"`     // the configuration that is deployed first
	Space     Space             `json:"space"`         // the configurations that tuning may choose from
	Scale     ScaleBounds       `json:"scale"`
	Labels    map[string]string `json:"labels,omitempty"`

	// Concurrency is the number of requests that one instance serves at once; at least 1.
	Concurrency int `json:"concurrency"`
	// Timeout bounds one invocation, start-up of a cold instance not included.
	Timeout time.Duration `json:"timeoutNanos"`
	// StartTimeout bounds the time from start to ready of an instance.
	StartTimeout time.Duration `json:"startTimeoutNanos"`
	// Payloads are sample inputs for tuning and profiling, weighted.
	Payloads []Payload `json:"payloads,omitempty"`
}

// EnvVar is one environment variable of a function.
type EnvVar struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ScaleBounds are hard caps on the number of instances of one revision.
type ScaleBounds struct {
	Min int `json:"min"`
	Max int `json:"max"` // 0 means bounded by the machine only
	// Schedule raises Min at times.
	Schedule []WarmSchedule `json:"schedule,omitempty"`
}

// WarmSchedule keeps instances warm between two recurring instants, whatever is
// forecast. Several combine by the largest.
type WarmSchedule struct {
	Start     string `json:"start"` // cron: minute, hour, day of month, month, day of week
	End       string `json:"end"`
	TimeZone  string `json:"timezone"` // of the IANA database, such as Europe/Berlin
	Instances int    `json:"instances"`
}

// Payload is a sample input. Weight is relative and positive.
type Payload struct {
	Name   string  `json:"name,omitempty"`
	Weight float64 `json:"weight"`
	Body   []byte  `json:"body"`
}

// Range is an arithmetic grid of allowed values: Min, Min+Step, ... up to Max.
type Range struct {
	Min  int64 `json:"min"`
	Max  int64 `json:"max"`
	Step int64 `json:"step"`
}

// Space is the set of resources that a function may be given: the product of
// a CPU grid in MilliCPU and a memory grid in Bytes.
type Space struct {
	CPU    Range `json:"cpu"`
	Memory Range `json:"memory"`
}

// Revision is a function with fixed resources: the unit that is deployed,
// scaled and routed to. Name is unique on a platform and derived from the
// content, so that equal revisions have equal names.
type Revision struct {
	Name      string    `json:"name"`
	Function  Function  `json:"function"`
	Resources Resources `json:"resources"`
}
