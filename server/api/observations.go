package api

import "time"

// ObservationSummary is what the invocations of a time span say, by stage.
type ObservationSummary struct {
	Since  time.Time      `json:"since"`
	Until  time.Time      `json:"until"`
	Price  string         `json:"price" doc:"Name of the price list that costs are computed with."`
	Stages []StageSummary `json:"stages"`
	Idle   []IdleSummary  `json:"idle,omitempty" doc:"What keeping instances warm cost, by function."`
}

// StageSummary is what the invocations of one stage say. Quantiles are over
// invocations that ended well.
type StageSummary struct {
	Workflow    string        `json:"workflow,omitempty" doc:"Absent for functions invoked directly."`
	Stage       string        `json:"stage,omitempty"`
	Function    string        `json:"function"`
	Invocations int           `json:"invocations"`
	Failures    int           `json:"failures"`
	ColdStarts  int           `json:"coldStarts"`
	QueueP95    time.Duration `json:"queueP95Nanos"`
	ColdStart   time.Duration `json:"coldStartMeanNanos" doc:"Mean wait of the cold ones."`
	P50         time.Duration `json:"executionP50Nanos"`
	P95         time.Duration `json:"executionP95Nanos"`
	P99         time.Duration `json:"executionP99Nanos"`
	CPUTime     time.Duration `json:"cpuTimeMeanNanos"`
	PeakMem     int64         `json:"peakMemoryMaxBytes"`
	Cost        float64       `json:"cost" doc:"Of serving, in the currency of the price list."`
}

// IdleSummary is what keeping instances of a function warm cost.
type IdleSummary struct {
	Function string        `json:"function"`
	Idle     time.Duration `json:"idleNanos"`
	Cost     float64       `json:"cost"`
}
