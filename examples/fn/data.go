package fn

import (
	"cmp"
	"os"
	"path/filepath"
)

// DataDir returns the folder that instances share, made if need be: name
// within $AQUATOPE_DATA, or within the system's temporary folder.
func DataDir(name string) (string, error) {
	dir := filepath.Join(cmp.Or(os.Getenv("AQUATOPE_DATA"), filepath.Join(os.TempDir(), "aquatope-examples")), name)
	return dir, os.MkdirAll(dir, 0o755)
}

// WriteFile writes a file of the shared folder so that readers see all of it
// or none, and so that it survives a crash.
func WriteFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".write-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // a no-op once renamed
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
