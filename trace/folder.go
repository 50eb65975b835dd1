package trace

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Folder is a folder of trace files in the 2019 format, sorted by day. It
// reads nothing but names until it is asked to.
type Folder struct {
	fsys fs.FS
	// Days that have a file of invocation counts, ascending from 1; UnknownDay
	// for files named dXX.
	days  []int
	files []file
}

// UnknownDay is the number of a day given as dXX.
const UnknownDay = 0

type kind int

const (
	kindInvocations kind = iota
	kindDurations
	kindFunctionMemory
	kindAppMemory
)

type file struct {
	path string
	set  string // prefix before the kind; "" if none
	kind kind
	day  int
}

// names matches the published names, for example
// invocations_per_function_md.anon.d01.csv, with an optional prefix that ends
// in a dot, dXX for an unknown day, "all" for the whole period, and .gz.
var names = regexp.MustCompile(`^(?:([^.]+)\.)?([a-z_]+_md|function_durations_percentiles|function_memory_percentiles|app_memory_percentiles)(?:\.anon)?\.(d\d+|d[Xx]+|all)\.csv(?:\.gz)?$`)

// OpenFolder lists the trace files in the root of fsys. Files with other names
// are ignored; it is an error if no file of per-minute counts is among them.
func OpenFolder(fsys fs.FS) (*Folder, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("listing trace folder: %w", err)
	}
	f := &Folder{fsys: fsys}
	seen := map[file]string{}
	for _, e := range entries {
		m := names.FindStringSubmatch(e.Name())
		if m == nil || e.IsDir() {
			continue
		}
		v := file{set: m[1], kind: kindOf(m[2])}
		if d, err := strconv.Atoi(strings.TrimPrefix(m[3], "d")); err == nil {
			if d < 1 || d > 3660 {
				return nil, fmt.Errorf("trace file %s: day %d outside d1..d3660", e.Name(), d)
			}
			v.day = d
		}
		if other, ok := seen[v]; ok {
			return nil, fmt.Errorf("trace files %s and %s hold the same day: remove one", other, e.Name())
		}
		seen[v] = e.Name()
		v.path = e.Name()
		f.files = append(f.files, v)
		if v.kind == kindInvocations && !slices.Contains(f.days, v.day) {
			f.days = append(f.days, v.day)
		}
	}
	if len(f.days) == 0 {
		return nil, errors.New("no trace in the folder: want files named like invocations_per_function_md.anon.d01.csv")
	}
	slices.Sort(f.days)
	if len(f.days) > 1 && f.days[0] == UnknownDay {
		return nil, errors.New("trace folder mixes days of known and unknown (dXX) date: keep them in folders of their own")
	}
	return f, nil
}

// Minutes returns the length of the time axis: from the midnight before the
// first day to the midnight after the last.
func (f *Folder) Minutes() int {
	return (f.days[len(f.days)-1] - f.days[0] + 1) * MinutesPerDay
}

// sets tells whether the folder holds several sets of files side by side, in
// which case the set is part of a function's identity.
func (f *Folder) sets() bool {
	first := ""
	found := false
	for _, v := range f.files {
		if v.kind != kindInvocations {
			continue
		}
		if found && v.set != first {
			return true
		}
		first, found = v.set, true
	}
	return false
}

func kindOf(name string) kind {
	switch name {
	case "function_durations_percentiles":
		return kindDurations
	case "function_memory_percentiles":
		return kindFunctionMemory
	case "app_memory_percentiles":
		return kindAppMemory
	}
	return kindInvocations
}

// OpenFile opens a file of a trace, unpacked if its name ends in .gz.
func OpenFile(fsys fs.FS, path string) (io.ReadCloser, error) {
	r, err := fsys.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening trace file: %w", err)
	}
	if !strings.HasSuffix(path, ".gz") {
		return r, nil
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("unpacking %s: %w", path, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{z, r}, nil
}
