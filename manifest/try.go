package manifest

import (
	"net/url"

	"github.com/aquatope/aquatope/workflow"
)

// try reads a try task, whose catch stands beside it.
func (r *workflowReader) try(o *object, n *node, p place, js *jumps) *workflow.Try {
	t := &workflow.Try{Do: r.list(n, p.sub("try"))}
	t.Catch.As = "error"
	v := o.need("catch", "say which errors are caught and what happens then")
	if v == nil {
		return t
	}
	at := p.sub("catch")
	c := r.object(v, at.key)
	if c == nil {
		return t
	}
	if v := c.take("as"); v != nil {
		t.Catch.As = r.variable(v, c.at("as"))
	}
	at.vars = p.vars.with("$" + t.Catch.As)
	if v := c.take("errors"); v != nil {
		t.Catch.Match = r.filter(v, c.at("errors"))
	}
	if v := c.take("when"); v != nil {
		t.Catch.When = r.expr(v, c.at("when"), at.scope(taskScope))
	}
	if v := c.take("exceptWhen"); v != nil {
		t.Catch.ExceptWhen = r.expr(v, c.at("exceptWhen"), at.scope(taskScope))
	}
	if v := c.take("retry"); v != nil {
		t.Catch.Retry = r.retryRef(v, c.at("retry"), at.scope(taskScope))
	}
	if v := c.take("do"); v != nil {
		t.Catch.Do = r.list(v, at.sub("do"))
	}
	if v := c.take("then"); v != nil {
		t.Catch.Then = r.str(v, c.at("then"))
		js.add(v, c.at("then"))
	}
	c.done(nil)
	return t
}

// filter reads catch.errors.
func (r *reader) filter(n *node, path string) (f workflow.ErrorFilter) {
	outer := r.object(n, path)
	if outer == nil {
		return f
	}
	v := outer.need("with", "write with: {status: 503}")
	outer.done(nil)
	if v == nil {
		return f
	}
	o := r.object(v, outer.at("with"))
	if o == nil {
		return f
	}
	text := func(key string, into *string) {
		if v := o.take(key); v != nil {
			*into = r.str(v, o.at(key))
		}
	}
	text("type", &f.Type)
	text("instance", &f.Instance)
	text("title", &f.Title)
	text("detail", &f.Detail)
	if v := o.take("status"); v != nil {
		f.Status = r.whole(v, o.at("status"), 100, 599)
	}
	o.done(nil)
	if len(v.fields) == 0 {
		r.fail(v.at, o.path, "delete errors to catch all", "is empty")
	}
	return f
}

// retry reads a retry policy.
func (r *reader) retry(n *node, path string, vars scope) *workflow.Retry {
	p := &workflow.Retry{Backoff: workflow.BackoffConstant}
	o := r.object(n, path)
	if o == nil {
		return p
	}
	if v := o.take("when"); v != nil {
		p.When = r.expr(v, o.at("when"), vars)
	}
	if v := o.take("exceptWhen"); v != nil {
		p.ExceptWhen = r.expr(v, o.at("exceptWhen"), vars)
	}
	if v := o.take("delay"); v != nil {
		p.Delay = r.duration(v, o.at("delay"))
	}
	if v := o.take("backoff"); v != nil {
		p.Backoff = r.backoff(v, o.at("backoff"))
	}
	if v := o.take("jitter"); v != nil {
		if j := r.object(v, o.at("jitter")); j != nil {
			if v := j.need("from", ""); v != nil {
				p.Jitter[0] = r.duration(v, j.at("from"))
			}
			if v := j.need("to", ""); v != nil {
				p.Jitter[1] = r.duration(v, j.at("to"))
			}
			j.done(nil)
			if p.Jitter[0] > p.Jitter[1] {
				r.fail(v.at, o.at("jitter"), "swap them", "from is longer than to")
			}
		}
	}
	if v := o.take("limit"); v != nil {
		r.limit(v, o.at("limit"), p)
	}
	o.done(nil)
	return p
}

func (r *reader) backoff(n *node, path string) workflow.Backoff {
	const hint = "write {constant: {}}, {linear: {}} or {exponential: {}}"
	o := r.object(n, path)
	if o == nil {
		return workflow.BackoffConstant
	}
	var found workflow.Backoff
	for _, b := range []workflow.Backoff{workflow.BackoffConstant, workflow.BackoffLinear, workflow.BackoffExponential} {
		v := o.take(string(b))
		if v == nil {
			continue
		}
		if found != "" {
			r.fail(v.at, path, hint, "both %s and %s", found, b)
		}
		found = b
		if in := r.object(v, o.at(string(b))); in != nil {
			in.done(nil)
		}
	}
	o.done(nil)
	if found == "" {
		r.fail(n.at, path, hint, "names no backoff")
		return workflow.BackoffConstant
	}
	return found
}

func (r *reader) limit(n *node, path string, p *workflow.Retry) {
	o := r.object(n, path)
	if o == nil {
		return
	}
	if v := o.take("duration"); v != nil {
		p.MaxDuration = r.positive(v, o.at("duration"))
	}
	if v := o.take("attempt"); v != nil {
		if a := r.object(v, o.at("attempt")); a != nil {
			if v := a.take("count"); v != nil {
				p.MaxAttempts = r.whole(v, a.at("count"), 1, 1000)
			}
			if v := a.take("duration"); v != nil {
				p.AttemptTime = r.positive(v, a.at("duration"))
			}
			a.done(nil)
		}
	}
	o.done(nil)
}

// raise reads the value of a raise task.
func (r *workflowReader) raise(n *node, p place) *workflow.Error {
	o := r.object(n, p.sub("raise").key)
	e := &workflow.Error{}
	if o == nil {
		return e
	}
	if v := o.need("error", "write the error, or the name of one in use.errors"); v != nil {
		if got := r.problemRef(v, o.at("error"), p.scope(taskScope)); got != nil {
			e = got
		}
	}
	o.done(nil)
	return e
}

// problem reads an error, whose texts may be expressions.
func (r *reader) problem(n *node, path string, vars scope) *workflow.Error {
	e := &workflow.Error{}
	o := r.object(n, path)
	if o == nil {
		return e
	}
	text := func(v *node, key string) string {
		if v == nil {
			return ""
		}
		s := r.str(v, o.at(key))
		if v.kind == kindString {
			r.text(v, o.at(key), vars)
		}
		return s
	}
	const hint = "write an absolute URI, such as https://example.com/errors/sold-out"
	if v := o.need("type", hint); v != nil {
		e.Type = text(v, "type")
		if u, err := url.Parse(e.Type); v.kind == kindString && !isWholeExpression(e.Type) && (err != nil || u.Scheme == "") {
			r.fail(v.at, o.at("type"), hint, "%q is not the URI of a type of errors", e.Type)
		}
	}
	if v := o.need("status", "write an HTTP status such as 409"); v != nil {
		e.Status = r.whole(v, o.at("status"), 100, 599)
	}
	e.Title = text(o.take("title"), "title")
	e.Detail = text(o.take("detail"), "detail")
	e.Instance = text(o.take("instance"), "instance")
	o.done(nil)
	return e
}
