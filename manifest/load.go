package manifest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// files is how a manifest reaches the files beside it.
type files struct {
	dir  string                            // of the manifest
	open func(name string) ([]byte, error) // nil where there are none
}

// resolve returns a path relative to the manifest's folder, unless it is absolute.
func (f files) resolve(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(f.dir, name)
}

func (f files) read(name string) ([]byte, error) {
	if f.open == nil {
		return nil, errors.New("files cannot be read from here")
	}
	data, err := f.open(f.resolve(name))
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return nil, fmt.Errorf("%s: %w", name, p.Err)
	}
	return data, err
}

// readLimited reads a file of at most limit bytes.
func readLimited(r io.Reader, name string, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s is larger than %d MiB", name, limit>>20)
	}
	return data, nil
}

func readFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readLimited(f, name, limit)
}

// Load reads manifests from files and folders. Of a folder it reads the files
// that end in .yaml, .yml or .json, in order of name, not its subfolders. "-"
// is standard input. Relative paths within a manifest (commands, working
// directories, payload files) are relative to its folder. The error is an
// Errors when the contents are at fault.
func Load(paths ...string) (*Bundle, error) {
	names, err := expand(paths)
	if err != nil {
		return nil, fmt.Errorf("reading manifests: %w", err)
	}
	all := &Bundle{}
	var errs Errors
	for _, name := range names {
		b, err := loadFile(name)
		if list := Errors(nil); errors.As(err, &list) {
			errs = append(errs, list...)
		} else if err != nil {
			return nil, fmt.Errorf("reading manifests: %w", err)
		}
		errs = append(errs, all.merge(b)...)
	}
	if len(errs) == 0 {
		errs = all.applyLocks()
	}
	if len(errs) > 0 {
		return nil, errs
	}
	for i := range all.Functions {
		if err := digest(&all.Functions[i]); err != nil {
			return nil, fmt.Errorf("reading the code of function %s: %w", all.Functions[i].Name, err)
		}
	}
	return all, nil
}

// expand replaces folders by the manifests in them and drops repetitions.
func expand(paths []string) ([]string, error) {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case path == "-":
			add(path)
		case err != nil:
			return nil, err
		case !info.IsDir():
			add(filepath.Clean(path))
		default:
			entries, err := os.ReadDir(path)
			if err != nil {
				return nil, err
			}
			found := 0
			for _, e := range entries {
				suffix := filepath.Ext(e.Name())
				if e.IsDir() || strings.HasPrefix(e.Name(), ".") || suffix != ".yaml" && suffix != ".yml" && suffix != ".json" {
					continue
				}
				add(filepath.Join(path, e.Name()))
				found++
			}
			if found == 0 {
				return nil, fmt.Errorf("folder %s holds no .yaml, .yml or .json file", path)
			}
		}
	}
	return names, nil
}

func loadFile(name string) (*Bundle, error) {
	if name == "-" {
		data, err := readLimited(os.Stdin, "standard input", maxBytes)
		if err != nil {
			return nil, err
		}
		dir, err := os.Getwd()
		if err != nil {
			return nil, err
		}
		return parse("<stdin>", data, files{dir, readPayload})
	}
	data, err := readFile(name, maxBytes)
	if err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	return parse(name, data, files{filepath.Dir(abs), readPayload})
}

func readPayload(name string) ([]byte, error) { return readFile(name, maxPayload) }

// Parse reads the manifests in data, which came from a file called name. It
// reads no other file: relative paths are resolved by name alone, and payload
// files are refused. The error is an Errors.
func Parse(name string, data []byte) (*Bundle, error) {
	b, err := parse(name, data, files{dir: filepath.Dir(name)})
	if err != nil {
		return nil, err
	}
	if errs := b.applyLocks(); len(errs) > 0 {
		return nil, errs
	}
	return b, nil
}

// sorted orders problems by position.
func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return e
}
