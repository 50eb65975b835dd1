package archtest_test

import (
	"slices"
	"strings"
	"testing"
)

func TestEveryPackageHasALayer(t *testing.T) {
	for _, p := range load(t) {
		if _, ok := find(p.path); !ok {
			t.Errorf("package %s has no layer: put it into the lowest one that its imports allow, in internal/archtest/layers_test.go", p.path)
		}
	}
}

func TestImportsGoDown(t *testing.T) {
	for _, p := range load(t) {
		from, ok := find(p.path)
		if !ok {
			continue // reported above
		}
		for _, i := range p.imports {
			path, ok := inside(i)
			if !ok {
				continue
			}
			to, ok := find(path)
			switch {
			case !ok || to.folder == from.folder:
			case from.layer < 0:
				t.Errorf("%s imports %s, but %s stands by itself", p.path, path, from.folder)
			case to.layer < 0:
				t.Errorf("%s imports %s, which is not for other packages", p.path, path)
			case to.layer == from.layer:
				t.Errorf("%s imports %s of its own layer (%s): let a higher layer bring them together, or declare a small interface in %s",
					p.path, path, layers[to.layer].name, p.path)
			case to.layer > from.layer:
				t.Errorf("%s (%s) imports %s (%s): imports go down only; declare the interface that is needed in %s",
					p.path, layers[from.layer].name, path, layers[to.layer].name, p.path)
			}
		}
	}
}

// Only what speaks to Kubernetes may see it.
func TestKubernetesStaysInItsPlace(t *testing.T) {
	allowed := []string{"platform/knative", "cmd/aquatope-operator"}
	for _, p := range load(t) {
		if slices.ContainsFunc(allowed, func(a string) bool { return p.path == a || strings.HasPrefix(p.path, a+"/") }) {
			continue
		}
		for _, i := range p.imports {
			if strings.HasPrefix(i, "k8s.io/") || strings.HasPrefix(i, "sigs.k8s.io/") || strings.HasPrefix(i, "knative.dev/") {
				t.Errorf("%s imports %s: Kubernetes is for %s only", p.path, i, strings.Join(allowed, " and "))
			}
		}
	}
}
