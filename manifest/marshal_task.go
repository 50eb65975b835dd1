package manifest

import "github.com/aquatope/aquatope/workflow"

func taskList(tasks []workflow.Task) []any {
	list := make([]any, len(tasks))
	for i := range tasks {
		list[i] = dict{tasks[i].Name: taskObject(&tasks[i])}
	}
	return list
}

func taskObject(t *workflow.Task) dict {
	d := dict{}
	put(d, "if", t.If)
	put(d, "then", t.Then)
	if t.Input != "" {
		d["input"] = dict{"from": t.Input}
	}
	if t.Output != "" {
		d["output"] = dict{"as": t.Output}
	}
	if t.Export != "" {
		d["export"] = dict{"as": t.Export}
	}
	if t.Timeout > 0 {
		d["timeout"] = dict{"after": formatISO(t.Timeout)}
	}
	switch {
	case t.Call != nil:
		callObject(d, t.Call)
	case t.Do != nil:
		d["do"] = taskList(t.Do)
	case t.Fork != nil:
		fork := dict{"branches": taskList(t.Fork.Branches)}
		put(fork, "compete", t.Fork.Compete)
		d["fork"] = fork
	case t.For != nil:
		d["for"] = dict{"each": t.For.Each, "at": t.For.At, "in": t.For.In}
		put(d, "while", t.For.While)
		d["do"] = taskList(t.For.Do)
		if t.For.Parallel > 1 {
			d["metadata"] = dict{parallelKey: t.For.Parallel}
		}
	case t.Switch != nil:
		cases := make([]any, len(t.Switch))
		for i, c := range t.Switch {
			one := dict{"then": c.Then}
			put(one, "when", c.When)
			cases[i] = dict{c.Name: one}
		}
		d["switch"] = cases
	case t.Set != nil:
		d["set"] = exact(t.Set)
	case t.Try != nil:
		d["try"] = taskList(t.Try.Do)
		d["catch"] = catchObject(&t.Try.Catch)
	case t.Raise != nil:
		e := t.Raise
		problem := dict{"type": e.Type, "status": e.Status}
		put(problem, "title", e.Title)
		put(problem, "detail", e.Detail)
		put(problem, "instance", e.Instance)
		d["raise"] = dict{"error": problem}
	case t.Wait > 0:
		d["wait"] = formatISO(t.Wait)
	}
	return d
}

func callObject(d dict, c *workflow.Call) {
	if c.HTTP == nil {
		d["call"] = c.Function
		if c.With != nil {
			d["with"] = exact(c.With)
		}
		return
	}
	h := c.HTTP
	with := dict{"method": h.Method, "endpoint": h.Endpoint, "output": h.Output}
	put(with, "redirect", h.Redirect)
	if len(h.Headers) > 0 {
		with["headers"] = h.Headers
	}
	if len(h.Query) > 0 {
		with["query"] = h.Query
	}
	if h.Body != nil {
		with["body"] = exact(h.Body)
	}
	d["call"], d["with"] = "http", with
}

func catchObject(c *workflow.Catch) dict {
	d := dict{"as": c.As}
	with := dict{}
	put(with, "type", c.Match.Type)
	put(with, "status", c.Match.Status)
	put(with, "instance", c.Match.Instance)
	put(with, "title", c.Match.Title)
	put(with, "detail", c.Match.Detail)
	if len(with) > 0 {
		d["errors"] = dict{"with": with}
	}
	put(d, "when", c.When)
	put(d, "exceptWhen", c.ExceptWhen)
	put(d, "then", c.Then)
	if len(c.Do) > 0 {
		d["do"] = taskList(c.Do)
	}
	if c.Retry != nil {
		d["retry"] = retryObject(c.Retry)
	}
	return d
}

func retryObject(p *workflow.Retry) dict {
	d := dict{"backoff": dict{string(p.Backoff): dict{}}}
	put(d, "when", p.When)
	put(d, "exceptWhen", p.ExceptWhen)
	if p.Delay > 0 {
		d["delay"] = formatISO(p.Delay)
	}
	if p.Jitter[1] > 0 {
		d["jitter"] = dict{"from": formatISO(p.Jitter[0]), "to": formatISO(p.Jitter[1])}
	}
	limit, attempt := dict{}, dict{}
	put(attempt, "count", p.MaxAttempts)
	if p.AttemptTime > 0 {
		attempt["duration"] = formatISO(p.AttemptTime)
	}
	if p.MaxDuration > 0 {
		limit["duration"] = formatISO(p.MaxDuration)
	}
	if len(attempt) > 0 {
		limit["attempt"] = attempt
	}
	if len(limit) > 0 {
		d["limit"] = limit
	}
	return d
}
