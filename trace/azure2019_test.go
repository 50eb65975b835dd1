package trace_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/aquatope/aquatope/trace"
)

// counts makes a file of a day: each row is a name and counts of the minutes
// from 1 on; the rest is 0.
func counts(rows map[string][]int, order ...string) []byte {
	var b strings.Builder
	b.WriteString("HashOwner,HashApp,HashFunction,Trigger")
	for m := 1; m <= trace.MinutesPerDay; m++ {
		fmt.Fprintf(&b, ",%d", m)
	}
	b.WriteByte('\n')
	for _, name := range order {
		fmt.Fprintf(&b, "o,a,%s,http", name)
		for m := range trace.MinutesPerDay {
			n := 0
			if m < len(rows[name]) {
				n = rows[name][m]
			}
			fmt.Fprintf(&b, ",%d", n)
		}
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

func packed(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

func load(t *testing.T, fsys fstest.MapFS) (*trace.Trace, error) {
	t.Helper()
	f, err := trace.OpenFolder(fsys)
	if err != nil {
		return nil, err
	}
	return f.Load()
}

func TestLoadDays(t *testing.T) {
	t.Parallel()
	tr, err := load(t, fstest.MapFS{
		"README.md": {Data: []byte("not a trace")},
		"invocations_per_function_md.anon.d03.csv":    {Data: counts(map[string][]int{"f": {1, 0, 2}}, "f")},
		"invocations_per_function_md.anon.d05.csv.gz": {Data: packed(counts(map[string][]int{"f": {4}, "g": {0, 7}}, "g", "f"))},
		"function_durations_percentiles.anon.d03.csv": {Data: []byte("HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,percentile_Average_0,percentile_Average_1,percentile_Average_25,percentile_Average_50,percentile_Average_75,percentile_Average_99,percentile_Average_100\no,a,f,10,3,1,40,1,1,5,9,12,39,40\n")},
		"app_memory_percentiles.anon.d03.csv":         {Data: []byte("HashOwner,HashApp,SampleCount,AverageAllocatedMb,AverageAllocatedMb_pct1,AverageAllocatedMb_pct5,AverageAllocatedMb_pct25,AverageAllocatedMb_pct50,AverageAllocatedMb_pct75,AverageAllocatedMb_pct95,AverageAllocatedMb_pct99,AverageAllocatedMb_pct100\no,a,5,100,80,80,90,100,110,120,120,120\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if tr.Minutes != 3*1440 || tr.Start != 2*1440 || !tr.WeekdayKnown || len(tr.Functions) != 2 {
		t.Fatalf("minutes %d, start %d, %d functions", tr.Minutes, tr.Start, len(tr.Functions))
	}
	f, g := tr.Functions[0], tr.Functions[1]
	if f.Counts.At(0) != 1 || f.Counts.At(2) != 2 || f.Counts.At(2*1440) != 4 || g.Counts.At(2*1440+1) != 7 {
		t.Errorf("counts are at wrong minutes")
	}
	if f.Duration.Mean != 10 || f.Duration.Quantile(0.5) != 9 || g.Duration.Known() {
		t.Errorf("durations: %+v, %+v", f.Duration, g.Duration)
	}
	if f.Memory.Mean != 50 || g.Memory.Mean != 50 {
		t.Errorf("app memory is not shared evenly: %v and %v", f.Memory.Mean, g.Memory.Mean)
	}
	if want := (trace.Span{From: 1440, To: 2880}); len(tr.Gaps) != 1 || tr.Gaps[0] != want {
		t.Errorf("gaps %v, want the missing day 4", tr.Gaps)
	}
}

func TestLoadSets(t *testing.T) {
	t.Parallel()
	tr, err := load(t, fstest.MapFS{
		"setA.invocations_per_function_md.anon.dXX.csv": {Data: counts(map[string][]int{"f": {1}}, "f")},
		"setB.invocations_per_function_md.anon.dXX.csv": {Data: counts(map[string][]int{"f": {2}}, "f")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.Functions) != 2 || tr.Functions[0].Set != "setA" || tr.WeekdayKnown {
		t.Errorf("sets must be kept apart: %+v", tr.Functions)
	}
}

func TestPaddingIsNotIdleness(t *testing.T) {
	t.Parallel()
	row := make([]int, 1440)
	for m := 479; m < 959; m++ {
		row[m] = 1
	}
	tr, err := load(t, fstest.MapFS{"invocations_per_function_md.anon.d01.csv": {Data: counts(map[string][]int{"f": row}, "f")}})
	if err != nil {
		t.Fatal(err)
	}
	if want := (trace.Span{From: 479, To: 959}); tr.Covered != want || len(tr.Notes) == 0 {
		t.Errorf("covered %v, notes %q; want %v and a note", tr.Covered, tr.Notes, want)
	}
}

func TestBadRows(t *testing.T) {
	t.Parallel()
	head := "HashOwner,HashApp,HashFunction,Trigger,1,2,3\n"
	for _, c := range []struct {
		name, data   string
		line, column int
		says         string
	}{
		{"negative", head + "o,a,f,http,1,-2,3\n", 2, 6, "negative"},
		{"not a number", head + "o,a,f,http,1,x,3\n", 2, 6, "whole number"},
		{"NaN", head + "o,a,f,http,NaN,2,3\n", 2, 5, "whole number"},
		{"fraction", head + "o,a,f,http,1,2,0.5\n", 2, 7, "whole number"},
		{"huge", head + "o,a,f,http,1,2,3\no,a,g,http,1,2,999999999999\n", 3, 7, "more than"},
		{"too many", head + "o,a,f,http,1,200000000,3\n", 2, 6, "more than"},
		{"cut", head + "o,a,f,http,1,2,3\no,a,g,ht", 3, 0, "truncated"},
		{"quote", head + "o,a,\"f,http,1,2,3\n", 2, 0, ""},
		{"shuffled columns", "HashApp,HashFunction,1,3,2\n", 1, 4, "shuffled"},
		{"minute out of range", "HashApp,HashFunction,1440,1441\n", 1, 4, "1440"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := load(t, fstest.MapFS{"invocations_per_function_md.anon.d01.csv": {Data: []byte(c.data)}})
			var row *trace.RowError
			if !errors.As(err, &row) {
				t.Fatalf("error %v is no RowError", err)
			}
			if row.Line != c.line || row.Column != c.column || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v: want line %d, column %d and %q", err, c.line, c.column, c.says)
			}
		})
	}
}

func TestBadFolders(t *testing.T) {
	t.Parallel()
	day := counts(map[string][]int{"f": {1}}, "f")
	for name, fsys := range map[string]fstest.MapFS{
		"no trace":       {"x.csv": {Data: []byte("a,b\n")}},
		"empty":          {"invocations_per_function_md.anon.d01.csv": {}},
		"no function":    {"invocations_per_function_md.anon.d01.csv": {Data: counts(nil)}},
		"twice":          {"invocations_per_function_md.anon.d01.csv": {Data: counts(map[string][]int{"f": {1}}, "f", "f")}},
		"same day":       {"invocations_per_function_md.anon.d1.csv": {Data: day}, "invocations_per_function_md.anon.d01.csv": {Data: day}},
		"mixed days":     {"invocations_per_function_md.anon.dXX.csv": {Data: day}, "invocations_per_function_md.anon.d01.csv": {Data: day}},
		"no gzip":        {"invocations_per_function_md.anon.d01.csv.gz": {Data: day}},
		"truncated gzip": {"invocations_per_function_md.anon.d01.csv.gz": {Data: packed(day)[:200]}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := load(t, fsys); err == nil {
				t.Error("no error")
			}
		})
	}
}

func FuzzReadCounts(f *testing.F) {
	f.Add([]byte("HashOwner,HashApp,HashFunction,Trigger,1,2,3\no,a,f,http,1,0,3\n"))
	f.Add([]byte("HashApp,HashFunction,1440\na,f,1e9\n"))
	f.Add([]byte("\ufeffHashApp,HashFunction,5,6\r\na,\"f\"\"g\",1,2\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for row, err := range trace.ReadCounts("fuzz", bytes.NewReader(data)) {
			if err != nil {
				return
			}
			if row.Minute < 0 || row.Minute+len(row.Counts) > trace.MinutesPerDay {
				t.Fatalf("minutes %d to %d", row.Minute, row.Minute+len(row.Counts))
			}
			for _, n := range row.Counts {
				if n < 0 || n > trace.MaxCount {
					t.Fatalf("count %d", n)
				}
			}
		}
	})
}

func FuzzFolder(f *testing.F) {
	f.Add("invocations_per_function_md.anon.d01.csv", []byte("HashApp,HashFunction,1\na,f,1\n"), []byte("x"))
	f.Add("invocations_per_function_md.anon.dXX.csv", []byte("HashApp,HashFunction,1\na,f,1\n"), []byte("HashApp,SampleCount\na,1\n"))
	f.Fuzz(func(t *testing.T, name string, data, memory []byte) {
		if strings.ContainsAny(name, "/\x00") || name == "" || name == "." || name == ".." {
			return
		}
		folder, err := trace.OpenFolder(fstest.MapFS{name: {Data: data}, "app_memory_percentiles.anon.d01.csv": {Data: memory}})
		if err != nil {
			return
		}
		if tr, err := folder.Load(); err == nil {
			tr.Summarize()
		}
	})
}
