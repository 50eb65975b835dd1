package experiment

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aquatope/aquatope/internal/report"
)

// Report returns the comparison as one page. Times are left out, so that equal
// runs give equal pages.
func (r *PoolReport) Report() *report.Report {
	out := report.New("Pool policies: cold starts against idle memory").Text(r.Conditions()...)
	for _, account := range []struct {
		title, caption string
		results        []PoolResult
		savings, quiet []Saving
		seeds          [][]PoolResult
	}{
		{"Idle memory", "Idle: whenever an instance serves nothing.", r.Results, r.Savings, r.QuietSavings, r.seeds},
		{"Idle memory in quiet minutes", "Idle: kept in minutes without a call of the function, which is as fine as a trace of counts by the minute tells.", quiet(r.Results), r.QuietSavings, nil, r.quietSeeds()},
	} {
		out.Section(account.title).Chart(chartOf(account.results, account.caption)).Text(poolSummary(account.results, account.savings, account.quiet, account.seeds)...)
		if len(account.savings) > 0 {
			out.Table(savingTable(account.savings))
		}
	}
	t := report.Table{
		Header: []string{"policy", "knob", "parameter", "invocations", "cold starts", "cold %", "p50 start ms", "p99 start ms", "memory GB-s", "idle GB-s", "quiet GB-s", "started ahead", "rejected"},
	}
	for _, p := range r.Results {
		t.Rows = append(t.Rows, []any{
			p.Policy, p.Knob, p.Parameter, p.Invocations, p.ColdStarts, 100 * p.ColdStartRate,
			p.P50StartMillis, p.P99StartMillis, p.MemoryGBSeconds, p.IdleMemoryGBSeconds, p.QuietMemoryGBSeconds, p.StartedAhead, p.Rejected,
		})
	}
	return out.Section("All runs").Table(t)
}

func chartOf(results []PoolResult, caption string) report.Chart {
	names, of := curves(results)
	c := report.Chart{
		Title:   "Cold starts against idle memory, each policy over its own knob",
		Caption: caption + " Down and to the left is better. Points that another point of the same policy beats in both are left out.",
		X:       report.Axis{Label: "idle memory", Unit: "GB-s"},
		Y:       report.Axis{Label: "cold starts", Log: true},
	}
	for _, n := range names {
		s := report.Series{Name: n, Mark: report.LinePoints, Strong: n == ownPolicy, Dashed: n == oraclePolicy}
		for _, p := range of[n] {
			s.X, s.Y = append(s.X, p.IdleMemoryGBSeconds), append(s.Y, p.ColdStarts)
		}
		c.Series = append(c.Series, s)
	}
	return c
}

func savingTable(savings []Saving) report.Table {
	t := report.Table{
		Caption: "Idle memory of the project's own policy where it has as many cold starts as a point of a peer, interpolated between its own points",
		Header:  []string{"peer", "its parameter", "cold starts", "its idle GB-s", "own idle GB-s", "saved %", "least of a seed", "most"},
	}
	for _, s := range savings {
		t.Rows = append(t.Rows, []any{s.Peer, s.Parameter, s.ColdStarts, s.PeerIdle, s.OwnIdle, 100 * s.Saved, 100 * s.SavedLeast, 100 * s.SavedMost})
	}
	return t
}

// quiet returns the results with idle memory in quiet minutes in place of all.
func quiet(results []PoolResult) []PoolResult {
	out := slices.Clone(results)
	for i := range out {
		out[i].IdleMemoryGBSeconds = out[i].QuietMemoryGBSeconds
	}
	return out
}

func (r *PoolReport) quietSeeds() [][]PoolResult {
	var out [][]PoolResult
	for _, s := range r.seeds {
		out = append(out, quiet(s))
	}
	return out
}

// Conditions say under which assumptions the figures hold.
func (r *PoolReport) Conditions() []string {
	return []string{
		fmt.Sprintf("%d functions; minutes %d to %d count, those before them trained and warmed up; mean of %d seed(s).", r.Functions, r.Judged.From, r.Judged.To, r.Seeds),
		strings.Join(r.Notes, " "),
		"A cold start is the start of an instance that an invocation waited for. An instance that is started ahead is idle from the start of its start. Idle memory counts all time without an invocation. In quiet minutes, those in which the function is not called, it does not depend on how calls are placed within their minutes; studies of traces that count by the minute know only this part.",
	}
}

// Summary says in sentences how the project's own policy compares by both
// accounts, and where it loses.
func (r *PoolReport) Summary() []string {
	out := append([]string{"Idle memory:"}, poolSummary(r.Results, r.Savings, r.QuietSavings, r.seeds)...)
	return append(append(out, "Idle memory in quiet minutes:"), poolSummary(quiet(r.Results), r.QuietSavings, nil, r.quietSeeds())...)
}

// poolSummary is of one account; quiet are the savings in quiet minutes, nil where
// that is the account.
func poolSummary(results []PoolResult, savings, quiet []Saving, seeds [][]PoolResult) []string {
	names, of := curves(results)
	if len(of[ownPolicy]) == 0 {
		return []string{"The project's own policy did not take part."}
	}
	var out []string
	for _, n := range names {
		if n == ownPolicy || n == oraclePolicy {
			continue
		}
		if s := against(n, savings, quiet, of[ownPolicy]); s != "" {
			out = append(out, s)
		}
	}
	best := bestPeer(names, of)
	if best.points > 0 {
		out = append(out, fmt.Sprintf("Against the best peer at each of %d levels of cold starts from %.0f to %.0f: %.1f %% less idle memory on average, from %.1f %% to %.1f %%.%s",
			best.points, best.high, best.low, 100*best.mean, 100*best.worst, 100*best.most, bySeed(seeds)))
	}
	return out
}

// bySeed says how the average against the best peer differs between seeds.
func bySeed(seeds [][]PoolResult) string {
	if len(seeds) < 2 {
		return ""
	}
	var each []string
	for _, results := range seeds {
		names, of := curves(results)
		each = append(each, fmt.Sprintf("%.1f", 100*bestPeer(names, of).mean))
	}
	return " The average by seed: " + strings.Join(each, ", ") + " %."
}

// against says how the own policy compares with one peer.
func against(peer string, savings, quiet []Saving, own curve) string {
	var sum, worst float64
	var worstAt Saving
	n, lost := 0, 0
	for _, s := range savings {
		if s.Peer != peer {
			continue
		}
		if n == 0 || s.Saved < worst {
			worst, worstAt = s.Saved, s
		}
		sum += s.Saved
		n++
		if s.Saved < 0 {
			lost++
		}
	}
	if n == 0 {
		return fmt.Sprintf("%s: no point of its curve lies within the cold starts of the own curve, so there is nothing to compare.", peer)
	}
	s := fmt.Sprintf("%s: %.1f %% less idle memory at equal cold starts on average over %d points of its curve; least, %.1f %%, at parameter %g with %.0f cold starts.",
		peer, 100*sum/float64(n), n, 100*worst, worstAt.Parameter, worstAt.ColdStarts)
	if worst < 0 {
		s += fmt.Sprintf(" The peer wins at %d of them. There: ", lost) + whyPeerWins(peer, own, quiet, worstAt)
	}
	return s
}

// whyPeerWins names what the figures show, which is where on the curves it happens.
func whyPeerWins(peer string, own curve, quiet []Saving, at Saving) string {
	low, high := own[len(own)-1].ColdStarts, own[0].ColdStarts
	still := slices.IndexFunc(quiet, func(s Saving) bool { return s.Peer == peer && s.Parameter == at.Parameter && s.Saved > 0 })
	switch {
	case still >= 0:
		return fmt.Sprintf("in minutes without a call it needs %.1f %% less than the peer; what it needs more lies between the calls of single minutes, which a forecast by the minute does not tell apart.", 100*quiet[still].Saved)
	case at.ColdStarts < low+0.1*(high-low) && at.ColdStarts < 10*low:
		return "so few cold starts are left that they are the first calls of functions in the period, which no past of their own foretells; keeping everything for long is then as good as any forecast."
	case at.ColdStarts > 0.5*high:
		return fmt.Sprintf("at so many cold starts nearly nothing is kept, and %s keeps it at finer times than a forecast by the minute.", peer)
	}
	return "in the middle of the range, which means that the forecast is worse than the peer's rule on this trace."
}

// comparison is the own curve against the lower envelope of the peers'.
type comparison struct {
	points            int
	high, low         float64 // cold starts
	mean, worst, most float64 // saved
}

// bestPeer compares at levels of cold starts that are equally spaced in their
// logarithm over the range that the own curve and any peer's share.
func bestPeer(names []string, of map[string]curve) comparison {
	own := of[ownPolicy]
	var c comparison
	const levels = 40
	sum := 0.0
	for i := range levels {
		cold := own.coldAt(float64(i) / (levels - 1))
		mine, ok := own.idleAt(cold)
		if !ok {
			continue
		}
		least, found := 0.0, false
		for _, n := range names {
			if n == ownPolicy || n == oraclePolicy {
				continue
			}
			if idle, ok := of[n].idleAt(cold); ok && (!found || idle < least) {
				least, found = idle, true
			}
		}
		if !found || least <= 0 {
			continue
		}
		saved := 1 - mine/least
		if c.points == 0 {
			c.high, c.worst, c.most = cold, saved, saved
		}
		c.low, c.worst, c.most = cold, min(c.worst, saved), max(c.most, saved)
		sum += saved
		c.points++
	}
	if c.points > 0 {
		c.mean = sum / float64(c.points)
	}
	return c
}
