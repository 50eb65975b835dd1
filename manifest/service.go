package manifest

import (
	"strconv"
	"strings"
	"time"

	"github.com/aquatope/aquatope/function"
)

// Defaults of what a Service leaves out. docs/reference/function.md lists them.
const (
	defaultTimeout      = 300 * time.Second // Knative's
	defaultStartTimeout = 30 * time.Second
)

// fromCluster are the keys that a cluster adds to what it stores.
const fromCluster = "delete what a cluster adds (uid, status and the like) from a manifest"

// service reads a Knative Service.
func (r *reader) service(n *node) function.Function {
	f := function.Function{
		Concurrency: 1, Timeout: defaultTimeout, StartTimeout: defaultStartTimeout,
		Resources: function.Resources{CPU: defaultCPU, Memory: defaultMemory},
	}
	before := len(r.errs)
	o := r.object(n, "")
	if v := o.need("apiVersion", "write apiVersion: serving.knative.dev/v1"); v != nil {
		r.oneOf(v, "apiVersion", "serving.knative.dev/v1")
	}
	if v := o.need("kind", "write kind: Service"); v != nil {
		r.oneOf(v, "kind", "Service")
	}
	notes := &annotations{reader: r}
	if v := o.need("metadata", "write metadata: {name: ...}"); v != nil {
		r.serviceMetadata(v, &f, notes)
	}
	if v := o.need("spec", ""); v != nil {
		if s := r.object(v, "spec"); s != nil {
			if t := s.need("template", ""); t != nil {
				r.template(t, &f, notes)
			}
			if t := s.take("traffic"); t != nil {
				r.traffic(t)
			}
			s.done(nil)
		}
	}
	o.done(map[string]string{"status": fromCluster})
	r.annotated(notes, &f)
	if len(f.Command) == 0 && f.Image == "" && len(r.errs) == before {
		r.fail(n.at, "spec.template.spec.containers[0]", "set image, or command to run a program of this machine", "there is nothing to run")
	}
	return f
}

func (r *reader) serviceMetadata(n *node, f *function.Function, notes *annotations) {
	o := r.object(n, "metadata")
	if o == nil {
		return
	}
	if v := o.need("name", ""); v != nil {
		f.Name = r.str(v, "metadata.name")
		if err := function.CheckName(f.Name); err != nil && v.kind == kindString {
			r.fail(v.at, "metadata.name", "", "%v", err)
		}
	}
	if v := o.take("namespace"); v != nil {
		f.Namespace = r.str(v, "metadata.namespace")
		if v.kind == kindString && !dnsLabel.MatchString(f.Namespace) {
			r.fail(v.at, "metadata.namespace", "use lower-case letters, digits and inner hyphens, at most 63", "%q is not a name", f.Namespace)
		}
	}
	r.labels(o, f)
	notes.add(o)
	o.done(map[string]string{
		"uid": fromCluster, "resourceVersion": fromCluster, "generation": fromCluster,
		"creationTimestamp": fromCluster, "managedFields": fromCluster, "selfLink": fromCluster,
		"ownerReferences": fromCluster, "finalizers": fromCluster,
	})
}

// labels adds the labels under o to those of f.
func (r *reader) labels(o *object, f *function.Function) {
	v := o.take("labels")
	if v == nil {
		return
	}
	for key, value := range r.stringMap(v, o.at("labels")) {
		if had, ok := f.Labels[key]; ok && had != value {
			r.fail(v.at, o.at("labels"), "keep one of the two", "label %s is set to another value above", key)
		}
		if f.Labels == nil {
			f.Labels = map[string]string{}
		}
		f.Labels[key] = value
	}
}

// template reads spec.template.
func (r *reader) template(n *node, f *function.Function, notes *annotations) {
	o := r.object(n, "spec.template")
	if o == nil {
		return
	}
	if v := o.take("metadata"); v != nil {
		if m := r.object(v, o.at("metadata")); m != nil {
			r.labels(m, f)
			notes.add(m)
			m.done(map[string]string{
				"name":              "revisions are named by their content",
				"creationTimestamp": fromCluster,
			})
		}
	}
	if v := o.need("spec", ""); v != nil {
		r.revisionSpec(v, f, notes)
	}
	o.done(nil)
}

// revisionSpec reads spec.template.spec.
func (r *reader) revisionSpec(n *node, f *function.Function, notes *annotations) {
	const path = "spec.template.spec"
	o := r.object(n, path)
	if o == nil {
		return
	}
	if v := o.take("containerConcurrency"); v != nil {
		if v.kind == kindNumber && v.number == 0 {
			r.fail(v.at, o.at("containerConcurrency"), "write how many requests one instance may serve at once, or leave it out for 1",
				"unlimited concurrency (0) cannot be sized")
		} else {
			f.Concurrency = r.whole(v, o.at("containerConcurrency"), 1, 1000)
			notes.concurrency = v
		}
	}
	if v := o.take("timeoutSeconds"); v != nil {
		f.Timeout = time.Duration(r.whole(v, o.at("timeoutSeconds"), 1, 24*3600)) * time.Second
	}
	if v := o.need("containers", "list one container"); v != nil && r.expect(v, o.at("containers"), kindList, "") {
		if len(v.list) != 1 {
			r.fail(v.at, o.at("containers"), "put the function's one container there", "must hold exactly one container, not %d", len(v.list))
		} else {
			r.container(v.list[0], o.at("containers")+"[0]", f)
		}
	}
	const startHint = "bound the start of an instance with the annotation aquatope.dev/start-timeout"
	o.done(map[string]string{
		"responseStartTimeoutSeconds": "timeoutSeconds bounds the whole invocation",
		"idleTimeoutSeconds":          "timeoutSeconds bounds the whole invocation",
		"volumes":                     "put files into the image, or name them relative to the manifest",
		"initContainers":              startHint,
		"serviceAccountName":          "functions get no access to the cluster",
		"imagePullSecrets":            "pull the image beforehand",
		"enableServiceLinks":          "delete it, there are no service links",
	})
}

// traffic accepts only what Knative takes as the default.
func (r *reader) traffic(n *node) {
	const path, hint = "spec.traffic", "leave it out; Aquatope routes to the revision that it has chosen"
	if !r.expect(n, path, kindList, hint) {
		return
	}
	for i, item := range n.list {
		p := path + "[" + strconv.Itoa(i) + "]"
		o := r.object(item, p)
		if o == nil {
			continue
		}
		latest, share := o.take("latestRevision"), o.take("percent")
		ok := len(n.list) == 1 && latest != nil && latest.bool && (share == nil || share.number == 100)
		if !ok {
			r.fail(item.at, p, hint, "traffic cannot be split here")
			return
		}
		o.done(nil)
	}
}

// annotations are those of the Service and of its template, which mean the same.
type annotations struct {
	*reader
	list        []annotation
	concurrency *node // containerConcurrency, if set
}

type annotation struct {
	key, path string
	at        position
	value     *node
}

// add takes the annotations under o.
func (a *annotations) add(o *object) {
	v := o.take("annotations")
	if v == nil || !a.expect(v, o.at("annotations"), kindObject, "") {
		return
	}
	for _, f := range v.fields {
		path := join(o.at("annotations"), f.key)
		if had := a.get(f.key); had != nil {
			a.fail(f.at, path, "keep one of the two", "is already set at %d:%d", had.at.line, had.at.column)
			continue
		}
		if a.expect(f.value, path, kindString, "quote it; annotations are strings") {
			a.list = append(a.list, annotation{f.key, path, f.at, f.value})
		}
	}
}

func (a *annotations) get(key string) *annotation {
	for i := range a.list {
		if a.list[i].key == key {
			return &a.list[i]
		}
	}
	return nil
}

// owned reports whether a key must be known.
func owned(key string) bool {
	for _, prefix := range []string{"aquatope.dev/", "autoscaling.knative.dev/", "serving.knative.dev/"} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}
