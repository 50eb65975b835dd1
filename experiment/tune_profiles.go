package experiment

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/aquatope/aquatope/profile"
	"github.com/aquatope/aquatope/profile/synthetic"
)

// The shipped profiles were measured by "aquatope profile" on the machine that
// each of them describes.
//
//go:embed profiles/*.json
var shipped embed.FS

// ShippedProfiles returns the profiles that come with the program, in order of
// name.
func ShippedProfiles() ([]*profile.Model, error) {
	var out []*profile.Model
	for _, name := range shippedNames() {
		m, err := shippedProfile("profiles/" + name + ".json")
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func shippedProfile(path string) (*profile.Model, error) {
	f, err := shipped.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening a shipped profile: %w", err)
	}
	defer f.Close()
	p, err := profile.Read(f)
	if err != nil {
		return nil, fmt.Errorf("shipped profile %s: %w", path, err)
	}
	return profile.New(p)
}

// GeneratedShapes and GeneratedFamilies return the words that names of generated
// profiles are made of.
func GeneratedShapes() []string {
	var out []string
	for _, s := range append(synthetic.Shapes(), synthetic.Random) {
		out = append(out, string(s))
	}
	return out
}

// GeneratedFamilies returns the families of generated functions.
func GeneratedFamilies() []string {
	var out []string
	for _, f := range append(synthetic.Families(), synthetic.RoughFamilies()...) {
		out = append(out, string(f))
	}
	return out
}

// shippedNames are those of the shipped profiles.
func shippedNames() []string {
	files, err := fs.Glob(shipped, "profiles/*.json")
	if err != nil {
		panic("BUG: experiment: " + err.Error())
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".json")
	}
	return files
}

// NamedProfile returns a shipped profile by the name of its file, or a generated
// one: shape-family, random-FUNCTIONS-family, either with -SEED at the end.
func NamedProfile(name string) (*profile.Model, error) {
	if path := "profiles/" + name + ".json"; fs.ValidPath(path) {
		if _, err := fs.Stat(shipped, path); err == nil {
			return shippedProfile(path)
		}
	}
	unknown := fmt.Errorf("no workflow %q: use all, a shipped profile (%s), or SHAPE-FAMILY such as chain-steps", name, strings.Join(shippedNames(), ", "))
	parts := strings.Split(name, "-")
	o := synthetic.Options{Shape: synthetic.Shape(parts[0]), Seed: 1000}
	parts = parts[1:]
	if o.Shape == synthetic.Random && len(parts) > 0 {
		n, err := strconv.Atoi(parts[0])
		if err != nil || n < 1 || n > 200 {
			return nil, unknown
		}
		o.Functions, parts = n, parts[1:]
	}
	if len(parts) == 2 {
		seed, err := strconv.ParseUint(parts[1], 10, 64)
		if err != nil {
			return nil, unknown
		}
		o.Seed, parts = seed, parts[:1]
	}
	if len(parts) != 1 {
		return nil, unknown
	}
	o.Family = synthetic.Family(parts[0])
	p, err := synthetic.Generate(o)
	if err != nil {
		return nil, unknown
	}
	return profile.New(p)
}
