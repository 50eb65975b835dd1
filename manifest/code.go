package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/aquatope/aquatope/function"
)

// locate makes the paths of a function absolute. A command without a slash is
// looked up in PATH, by the platform.
func (r *reader) locate(f *function.Function) {
	if len(f.Command) > 0 {
		if strings.Contains(f.Command[0], "/") {
			f.Command[0] = r.files.resolve(f.Command[0])
		}
		f.Dir = r.files.resolve(f.Dir)
	}
}

// digest sets f.Digest from the files that its command names: the program and
// any argument that is a file. A file that is not there yet does not count.
func digest(f *function.Function) error {
	if f.Digest != "" {
		return nil
	}
	sum := sha256.New()
	found := false
	for i, word := range append(f.Command[:len(f.Command):len(f.Command)], f.Args...) {
		if i == 0 && len(f.Command) > 0 && !strings.Contains(word, "/") || len(f.Command) == 0 || strings.HasPrefix(word, "-") {
			continue
		}
		path := word
		if !filepath.IsAbs(path) {
			path = filepath.Join(f.Dir, word)
		}
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		fmt.Fprintf(sum, "%d %d ", i, info.Size())
		if err := copyFile(sum, path); err != nil {
			return err
		}
		found = true
	}
	if found {
		f.Digest = hex.EncodeToString(sum.Sum(nil)[:16])
	}
	return nil
}

// copyFile writes the content of a file. A program that may be run but not
// read is identified by its size alone.
func copyFile(w io.Writer, path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
