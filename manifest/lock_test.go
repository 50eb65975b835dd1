package manifest_test

import (
	"strings"
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/manifest"
)

const lockable = `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: resize
  annotations: {aquatope.dev/cpu-range: "100m..2,100m", aquatope.dev/memory-range: "64Mi..1Gi,64Mi"}
spec: {template: {spec: {containers: [{image: resize, resources: {limits: {cpu: 1, memory: 512Mi}}}]}}}
---
`

func TestLockSetsResources(t *testing.T) {
	lock := "apiVersion: aquatope.dev/v1alpha1\nkind: ResourceLock\nmetadata: {name: ml}\nfunctions:\n  resize: {cpu: 600m, memory: 256Mi}\n"
	for name, text := range map[string]string{"after": lockable + lock, "before": lock + "---\n" + lockable} {
		b, err := manifest.Parse("app.yaml", []byte(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := function.Resources{CPU: 600, Memory: 256 * function.MiB}
		if got := b.Functions[0].Resources; got != want {
			t.Errorf("%s: the function has %s, want %s", name, got, want)
		}
	}
}

func TestLockRefuses(t *testing.T) {
	const head = "apiVersion: aquatope.dev/v1alpha1\nkind: ResourceLock\n"
	for want, lock := range map[string]string{
		"function shrink is not in these manifests":     head + "functions: {shrink: {cpu: 1, memory: 64Mi}}",
		"which its ranges do not allow":                 head + "functions: {resize: {cpu: 3, memory: 64Mi}}",
		"ranges do not allow; tune again":               head + "functions: {resize: {cpu: 1, memory: 100Mi}}",
		"functions.resize.cpu":                          head + "functions: {resize: {cpu: none, memory: 64Mi}}",
		"memory":                                        head + "functions: {resize: {cpu: 1}}",
		"functions":                                     head,
		"aquatope.dev/v1alpha1":                         "apiVersion: v9\nkind: ResourceLock\nfunctions: {resize: {cpu: 1, memory: 64Mi}}",
		"unknown":                                       head + "extra: 1\nfunctions: {resize: {cpu: 1, memory: 64Mi}}",
		"function resize is locked twice, first at app": head + "functions: {resize: {cpu: 1, memory: 64Mi}}\n---\n" + head + "functions: {resize: {cpu: 1, memory: 64Mi}}",
	} {
		_, err := manifest.Parse("app.yaml", []byte(lockable+lock+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
