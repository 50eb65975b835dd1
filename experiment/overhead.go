package experiment

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aquatope/aquatope/stats"
)

// OverheadPaths are four ways to the same warm instance of one function, by URL.
type OverheadPaths struct {
	Direct   string // the instance itself
	Proxy    string // a bare reverse proxy in front of it, a process of its own
	Aquatope string // the gateway of a server that runs it, calling the function
	Workflow string // the same gateway, running a workflow of this one stage
}

// overheadWays is the number of ways; the order is that of OverheadPaths.
const overheadWays = 4

// OverheadOptions say how much is measured. All fields must be set.
type OverheadOptions struct {
	Concurrency []int
	Rounds      int // how often the three take turns, at each concurrency
	Block       int // requests of one turn, over all workers
	Seed        uint64
}

// OverheadResult is what one concurrency showed. The quantiles are over all
// requests of a path. Ratios compare what Aquatope added to direct latency
// with what the bare proxy added; their intervals come from resampling rounds.
type OverheadResult struct {
	Concurrency       int     `json:"concurrency"`
	DirectP50Micros   float64 `json:"directP50Micros"`
	DirectP99Micros   float64 `json:"directP99Micros"`
	ProxyP50Micros    float64 `json:"proxyP50Micros"`
	ProxyP99Micros    float64 `json:"proxyP99Micros"`
	AquatopeP50Micros float64 `json:"aquatopeP50Micros"`
	AquatopeP99Micros float64 `json:"aquatopeP99Micros"`
	WorkflowP50Micros float64 `json:"workflowP50Micros"`
	WorkflowP99Micros float64 `json:"workflowP99Micros"`
	Throughput        float64 `json:"throughputPerSecond"` // of Aquatope, in its turns

	AddedRatioP50   float64    `json:"addedRatioP50"`
	AddedRatioP50CI [2]float64 `json:"addedRatioP50Interval95"`
	AddedRatioP99   float64    `json:"addedRatioP99"`
	AddedRatioP99CI [2]float64 `json:"addedRatioP99Interval95"`
	// WorkflowRatioP50 is the same for a run of a workflow of one stage.
	WorkflowRatioP50 float64 `json:"workflowAddedRatioP50"`
	Requests         int     `json:"requests"` // of each path
}

// Overhead measures the latency of the paths in turns of a few hundred
// requests, closed loop with as many workers as the concurrency, so that
// whatever else the machine does falls on all of them alike.
func Overhead(ctx context.Context, p OverheadPaths, o OverheadOptions, progress func(done, total int)) ([]OverheadResult, error) {
	urls := [overheadWays]string{p.Direct, p.Proxy, p.Aquatope, p.Workflow}
	total, done := len(o.Concurrency)*o.Rounds*len(urls), 0
	var results []OverheadResult
	for _, concurrency := range o.Concurrency {
		client := overheadClient(concurrency)
		for _, u := range urls {
			if _, _, err := overheadTurn(ctx, client, u, concurrency, o.Block); err != nil { // connections, caches
				return nil, err
			}
		}
		var rounds [overheadWays][][]float64
		var busy time.Duration
		for r := range o.Rounds {
			for i := range urls {
				path := (r + i) % len(urls)
				x, took, err := overheadTurn(ctx, client, urls[path], concurrency, o.Block)
				if err != nil {
					return nil, err
				}
				rounds[path] = append(rounds[path], x)
				if path == 2 {
					busy += took
				}
				done++
				progress(done, total)
			}
		}
		client.CloseIdleConnections()
		results = append(results, overheadResult(concurrency, rounds, busy, stats.Stream(o.Seed, fmt.Sprintf("overhead/%d", concurrency))))
	}
	return results, nil
}

func overheadClient(concurrency int) *http.Client {
	return &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: concurrency, DisableCompression: true},
		Timeout:   30 * time.Second,
	}
}

// overheadTurn sends n requests from concurrency workers to one URL and returns the
// latency of each in microseconds.
func overheadTurn(ctx context.Context, client *http.Client, url string, concurrency, n int) ([]float64, time.Duration, error) {
	per := max(1, n/concurrency)
	latencies := make([]float64, per*concurrency)
	errs := make([]error, concurrency)
	var workers sync.WaitGroup
	start := time.Now()
	for w := range concurrency {
		workers.Go(func() {
			for i := range per {
				t := time.Now()
				if errs[w] = overheadCall(ctx, client, url); errs[w] != nil {
					return
				}
				latencies[w*per+i] = float64(time.Since(t)) / float64(time.Microsecond)
			}
		})
	}
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, 0, err
		}
	}
	return latencies, time.Since(start), nil
}

func overheadCall(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader([]byte("{}")))
	if err != nil {
		return fmt.Errorf("measuring %s: %w", url, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("measuring %s: %w", url, err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return fmt.Errorf("measuring %s: %w", url, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("measuring %s: status %d", url, resp.StatusCode)
	}
	return nil
}

// overheadResamples is the number of bootstrap resamples behind an interval.
const overheadResamples = 400

func overheadResult(concurrency int, rounds [overheadWays][][]float64, busy time.Duration, rng *rand.Rand) OverheadResult {
	n := len(rounds[0])
	q := overheadQuantiles(rounds, identity(n))
	r := OverheadResult{
		Concurrency:     concurrency,
		DirectP50Micros: q[0][0], DirectP99Micros: q[0][1],
		ProxyP50Micros: q[1][0], ProxyP99Micros: q[1][1],
		AquatopeP50Micros: q[2][0], AquatopeP99Micros: q[2][1],
		WorkflowP50Micros: q[3][0], WorkflowP99Micros: q[3][1],
		AddedRatioP50: addedRatio(q, 2, 0), AddedRatioP99: addedRatio(q, 2, 1), WorkflowRatioP50: addedRatio(q, 3, 0),
		Requests: n * len(rounds[0][0]),
	}
	r.Throughput = float64(r.Requests) / busy.Seconds()
	var p50, p99 []float64
	pick := make([]int, n)
	for range overheadResamples {
		for i := range pick {
			pick[i] = rng.IntN(n)
		}
		q := overheadQuantiles(rounds, pick)
		p50 = append(p50, addedRatio(q, 2, 0))
		p99 = append(p99, addedRatio(q, 2, 1))
	}
	copy(r.AddedRatioP50CI[:], stats.Quantiles(p50, 0.025, 0.975))
	copy(r.AddedRatioP99CI[:], stats.Quantiles(p99, 0.025, 0.975))
	return r
}

func identity(n int) []int {
	x := make([]int, n)
	for i := range x {
		x[i] = i
	}
	return x
}

// overheadQuantiles returns the median and 99th percentile of each path over
// the chosen rounds, which are the same for all paths.
func overheadQuantiles(rounds [overheadWays][][]float64, pick []int) (q [overheadWays][2]float64) {
	for path := range rounds {
		var all []float64
		for _, r := range pick {
			all = append(all, rounds[path][r]...)
		}
		slices.Sort(all)
		q[path] = [2]float64{stats.Quantile(0.50, all), stats.Quantile(0.99, all)}
	}
	return q
}

// addedRatio is what a way adds to the direct one, over what the proxy adds.
func addedRatio(q [overheadWays][2]float64, way, level int) float64 {
	return (q[way][level] - q[0][level]) / (q[1][level] - q[0][level])
}
