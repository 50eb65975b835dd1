package manifest

import (
	"regexp"
	"strings"

	"github.com/aquatope/aquatope/workflow"
)

var (
	dslVersion = regexp.MustCompile(`^1\.0\.(0|[1-9][0-9]{0,3})$`)
	semVersion = regexp.MustCompile(`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
	dnsLabel   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

// workflowReader reads one workflow.
type workflowReader struct {
	*reader
	use   definitions
	tasks int // read so far, inlined ones included
	calls []call
}

// workflow reads an Open Workflow Specification document.
func (r *reader) workflow(n *node) (*workflow.Workflow, []call) {
	o := r.object(n, "")
	w := &workflow.Workflow{}
	wr := &workflowReader{reader: r}
	at := n.at
	if d := o.need("document", ""); d != nil {
		at = wr.document(d, w)
	}
	if u := o.take("use"); u != nil {
		wr.definitions(u)
	}
	if v := o.take("input"); v != nil {
		w.Input = wr.from(v, "input", workflowScope)
	}
	if v := o.take("output"); v != nil {
		w.Output = wr.as(v, "output", contextScope)
	}
	if v := o.take("timeout"); v != nil {
		w.Timeout = wr.timeout(v, "timeout")
	}
	if v := o.take("evaluate"); v != nil {
		wr.evaluate(v)
	}
	if v := o.need("do", "list the tasks under do"); v != nil {
		w.Do = wr.list(v, place{key: "do", pointer: "/do"})
		wr.bounded(v)
	}
	o.done(map[string]string{
		"schedule": "start runs from outside, for example with cron and aquatope invoke --async",
	})
	if len(r.errs) == 0 {
		r.shape(w, at)
	}
	return w, wr.calls
}

// shape reports a workflow whose graph cannot be made.
func (r *reader) shape(w *workflow.Workflow, at position) {
	g, err := workflow.NewGraph(w, workflow.Branching{})
	if err == nil {
		_, err = workflow.NewComposition(g)
	}
	if err != nil {
		r.fail(at, "do", "", "%v", err)
	}
}

// document reads the head of a workflow and returns the place of its name.
func (r *reader) document(n *node, w *workflow.Workflow) position {
	o := r.object(n, "document")
	if o == nil {
		return n.at
	}
	at := n.at
	label := func(key, hint string) string {
		v := o.need(key, hint)
		if v == nil {
			return ""
		}
		s := r.str(v, o.at(key))
		if v.kind == kindString && !dnsLabel.MatchString(s) {
			r.fail(v.at, o.at(key), "use lower-case letters, digits and inner hyphens, at most 63", "%q is not a name", s)
		}
		at = v.at
		return s
	}
	if v := o.need("dsl", "write dsl: '1.0.3'"); v != nil {
		if s := r.str(v, o.at("dsl")); v.kind == kindString && !dslVersion.MatchString(s) {
			r.fail(v.at, o.at("dsl"), "write '1.0.3' and follow that version", "version %q of the DSL is not supported", s)
		}
	}
	w.Namespace = label("namespace", "write namespace: default")
	w.Name = label("name", "")
	if v := o.need("version", "write version: '0.1.0'"); v != nil {
		w.Version = r.str(v, o.at("version"))
		if v.kind == kindString && !semVersion.MatchString(w.Version) {
			r.fail(v.at, o.at("version"), "write a semantic version such as '0.1.0'", "%q is not a version", w.Version)
		}
	}
	if v := o.take("title"); v != nil {
		w.Title = r.str(v, o.at("title"))
	}
	if v := o.take("summary"); v != nil {
		w.Summary = r.str(v, o.at("summary"))
	}
	if v := o.take("tags"); v != nil {
		w.Tags = r.stringMap(v, o.at("tags"))
	}
	if v := o.take("metadata"); v != nil {
		r.metadata(v, w)
	}
	o.done(nil)
	return at
}

// metadata reads document.metadata. The specification leaves its keys to
// everyone, so that only what is Aquatope's, or looks like it, is checked.
func (r *reader) metadata(n *node, w *workflow.Workflow) {
	const path = "document.metadata"
	o := r.object(n, path)
	if o == nil {
		return
	}
	if v := o.take("qos"); v != nil {
		w.QoS = r.qos(v, o.at("qos"))
	}
	if v := o.take("payloads"); v != nil {
		w.Payloads = r.payloads(v, o.at("payloads"))
	}
	for _, f := range n.fields {
		switch {
		case f.key == "qos" && f.value.kind == kindNull:
			r.fail(f.at, o.at("qos"), "write qos: {latency: 900ms, percentile: 95}", "has no value")
		case strings.HasPrefix(f.key, "aquatope.dev/"):
			r.fail(f.at, o.at(f.key), "the promise goes under qos, sample inputs under payloads", "unknown key %s", f.key)
		case f.key == "payloads" && f.value.kind == kindNull:
			r.fail(f.at, o.at("payloads"), payloadsHint, "has no value")
		case f.key != "payloads" && editDistance(strings.ToLower(f.key), "payloads") <= 2:
			r.fail(f.at, o.at(f.key), "did you mean payloads?", "unknown key %s", f.key)
		case f.key != "qos" && len(f.key) < 6 && editDistance(strings.ToLower(f.key), "qos") <= 1,
			strings.EqualFold(f.key, "slo"), strings.EqualFold(f.key, "sla"):
			r.fail(f.at, o.at(f.key), "did you mean qos?", "unknown key %s", f.key)
		}
	}
}

func (r *reader) qos(n *node, path string) workflow.QoS {
	o := r.object(n, path)
	if o == nil {
		return workflow.QoS{}
	}
	const hint = "write qos: {latency: 900ms, percentile: 95}"
	var q workflow.QoS
	if v := o.need("latency", hint); v != nil {
		q.Latency = r.shortDuration(v, o.at("latency"))
	}
	if v := o.need("percentile", hint); v != nil && r.expect(v, o.at("percentile"), kindNumber, hint) {
		switch p := v.number.(type) {
		case int:
			q.Percentile = float64(p)
		case float64:
			q.Percentile = p
		}
		if q.Percentile < 1 || q.Percentile >= 100 {
			r.fail(v.at, o.at("percentile"), "95 stands for 95 % of the runs", "percentile %v is not within [1, 100)", v.number)
		}
	}
	o.done(nil)
	return q
}

// evaluate accepts only what is the default.
func (r *reader) evaluate(n *node) {
	o := r.object(n, "evaluate")
	if o == nil {
		return
	}
	if v := o.take("language"); v != nil {
		r.oneOf(v, o.at("language"), "jq")
	}
	if v := o.take("mode"); v != nil {
		r.oneOf(v, o.at("mode"), "strict")
	}
	o.done(nil)
}

// schemas tells why schemas are refused.
var schemas = map[string]string{"schema": "check the value in the function that gets it, or by a switch and a raise"}

// from reads an input.
func (r *reader) from(n *node, path string, vars scope) (e workflow.Expr) {
	if o := r.object(n, path); o != nil {
		if v := o.take("from"); v != nil {
			e = r.transform(v, o.at("from"), vars)
		}
		o.done(schemas)
	}
	return e
}

// as reads an output or an export.
func (r *reader) as(n *node, path string, vars scope) (e workflow.Expr) {
	if o := r.object(n, path); o != nil {
		if v := o.take("as"); v != nil {
			e = r.transform(v, o.at("as"), vars)
		}
		o.done(schemas)
	}
	return e
}
