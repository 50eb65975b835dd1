package manifest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/aquatope/aquatope/manifest"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// The examples of the reference are accepted.
func TestDocs(t *testing.T) {
	for _, name := range []string{"workflow.md", "function.md"} {
		text, err := os.ReadFile(filepath.Join("../docs/reference", name))
		if err != nil {
			t.Fatal(err)
		}
		blocks := yamlBlock.FindAllSubmatch(text, -1)
		if len(blocks) == 0 {
			t.Errorf("%s has no example", name)
		}
		for _, b := range blocks {
			dir := write(t, map[string]string{"example.yaml": string(b[1]), "payloads/large.json": "{}"})
			if _, err := manifest.Load(dir); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
