package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// settings are the flags that also come from the environment and from files,
// wherever a command has them. In order of precedence:
//
//  1. the flag
//  2. AQUATOPE_<NAME>, upper case, - as _
//  3. the project file .aquatope.yaml in the working directory or the nearest
//     directory above it that has one
//  4. the user file aquatope/config.yaml in $XDG_CONFIG_HOME (~/.config)
//  5. the flag's default
var settings = []string{"data", "driver", "listen", "output", "server"}

// applySettings gives the flags of cmd that were not set by hand the values
// that the environment or a file has for them.
func applySettings(env *Env, cmd *cobra.Command) error {
	project, err := readSettings(projectFile(env.Dir))
	if err != nil {
		return err
	}
	user, err := readSettings(userFile(env))
	if err != nil {
		return err
	}
	var bad error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || !slices.Contains(settings, f.Name) {
			return
		}
		key := "AQUATOPE_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, origin := env.Getenv(key), key
		if value == "" {
			value, origin = project.values[f.Name], project.path
		}
		if value == "" {
			value, origin = user.values[f.Name], user.path
		}
		if value == "" {
			return
		}
		if err := cmd.Flags().Set(f.Name, value); err != nil && bad == nil {
			bad = fmt.Errorf("setting %q from %s: %w", f.Name, origin, err)
		}
	})
	return bad
}

// settingsFile is a file of settings that was read; empty where there is none.
type settingsFile struct {
	path   string
	values map[string]string
}

func readSettings(path string) (settingsFile, error) {
	if path == "" {
		return settingsFile{}, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return settingsFile{}, nil
	}
	if err != nil {
		return settingsFile{}, fmt.Errorf("reading settings: %w", err)
	}
	f := settingsFile{path: path}
	if err := yaml.Unmarshal(text, &f.values); err != nil {
		return settingsFile{}, fmt.Errorf("reading settings from %s: %w", path, err)
	}
	for _, name := range slices.Sorted(maps.Keys(f.values)) {
		if !slices.Contains(settings, name) {
			return settingsFile{}, fmt.Errorf("reading settings from %s: unknown setting %q: use %s",
				path, name, strings.Join(settings, ", "))
		}
	}
	return f, nil
}

// projectFile returns the nearest .aquatope.yaml at or above dir, or "".
func projectFile(dir string) string {
	for {
		path := filepath.Join(dir, ".aquatope.yaml")
		if _, err := os.Stat(path); err == nil {
			return path
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

func userFile(env *Env) string {
	if dir := env.Getenv("XDG_CONFIG_HOME"); dir != "" {
		return filepath.Join(dir, "aquatope", "config.yaml")
	}
	if home := env.Getenv("HOME"); home != "" {
		return filepath.Join(home, ".config", "aquatope", "config.yaml")
	}
	return ""
}
