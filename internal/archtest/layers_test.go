package archtest_test

import "strings"

// layers are the packages of the module from the bottom to the top. A package
// imports packages of lower layers and of its own entry (a folder with those
// below it), nothing else. Packages of one layer therefore never import each
// other: platform/local, platform/knative and sim stay apart.
//
// To add a package, put it into the lowest layer that its imports allow.
var layers = []struct {
	name     string
	pure     bool // part of the functional core, see core_test.go
	packages []string
}{
	{"functions and numbers", true, []string{"function", "stats"}},
	{"workflows", true, []string{"workflow"}},
	{"models and contracts", true, []string{"gp", "trace", "platform", "profile", "run"}},
	{"learning", true, []string{"forecast", "bayesopt"}},
	{"decisions", true, []string{"pool", "tuner"}},
	{"control", false, []string{"control"}},
	{"worlds and storage", false, []string{
		"manifest", "store", "engine", "sim", "load", "internal/report",
		"platform/local", "platform/knative", "platform/platformtest",
	}},
	{"server", false, []string{"server", "web"}},
	{"experiments", false, []string{"experiment", "examples/measure"}},
	{"commands", false, []string{"internal/cli"}},
	{"binaries", false, []string{"cmd"}},
}

// apart are packages that stand beside the layers: they import only themselves
// and nothing imports them.
var apart = []string{"examples", "internal/archtest", "internal/testfn"}

// entry is the folder in layers or apart that a package belongs to.
type entry struct {
	folder string
	layer  int // -1 for those apart
}

// find returns the entry of the package with the given path in the module.
func find(path string) (entry, bool) {
	best, found := entry{}, false
	consider := func(folder string, layer int) {
		if (path == folder || strings.HasPrefix(path, folder+"/")) && len(folder) >= len(best.folder) {
			best, found = entry{folder, layer}, true
		}
	}
	for i, l := range layers {
		for _, folder := range l.packages {
			consider(folder, i)
		}
	}
	for _, folder := range apart {
		consider(folder, -1)
	}
	return best, found
}
