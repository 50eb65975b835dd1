package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/aquatope/aquatope/internal/report"
)

// writeFile creates a file and reports every error, that of closing it included.
func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	return write(f)
}

// writePage writes a report to a file, which --report names.
func (e *Env) writePage(file string, page *report.Report) error {
	err := writeFile(e.path(file), func(w io.Writer) error {
		_, err := page.WriteTo(w)
		return err
	})
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}
