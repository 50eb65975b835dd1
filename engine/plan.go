package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aquatope/aquatope/workflow"
)

// Plan is a workflow made ready to run: expressions compiled, jumps resolved.
// It is immutable and shared by all runs.
type Plan struct {
	workflow   workflow.Workflow
	digest     string
	definition []byte
	input      *expr
	output     *expr
	tasks      list
}

// Compile makes a workflow ready to run. It refuses expressions that do not
// compile or name variables that are not there, and jumps to nowhere.
func Compile(wf workflow.Workflow) (*Plan, error) {
	p := &Plan{workflow: wf}
	fail := func(err error) (*Plan, error) {
		return nil, fmt.Errorf("compiling workflow %q: %w", wf.Name, err)
	}
	var err error
	if p.definition, err = json.Marshal(wf); err != nil {
		return fail(err)
	}
	sum := sha256.Sum256(p.definition)
	p.digest = hex.EncodeToString(sum[:])
	if p.input, err = compile(string(wf.Input), nil); err != nil {
		return fail(fmt.Errorf("input.from: %w", err))
	}
	if p.output, err = compile(string(wf.Output), nil); err != nil {
		return fail(fmt.Errorf("output.as: %w", err))
	}
	if p.tasks, err = compileList(wf.Do, nil); err != nil {
		return fail(err)
	}
	return p, nil
}

// decodePlan compiles a definition as a Plan recorded it.
func decodePlan(definition []byte) (*Plan, error) {
	var wf workflow.Workflow
	if err := json.Unmarshal(definition, &wf); err != nil {
		return nil, fmt.Errorf("decoding a recorded workflow: %w", err)
	}
	p, err := Compile(wf)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(definition)
	p.definition, p.digest = definition, hex.EncodeToString(sum[:])
	return p, nil
}

// Workflow returns the workflow. It must not be changed.
func (p *Plan) Workflow() workflow.Workflow { return p.workflow }

// Name returns the name of the workflow.
func (p *Plan) Name() string { return p.workflow.Name }

// Digest identifies the content of the workflow.
func (p *Plan) Digest() string { return p.digest }

// list is a sequence of tasks in which control flows by then.
type list []*task

// task is a compiled workflow.Task.
type task struct {
	name, path string
	cond       *expr
	input      *expr
	output     *expr
	export     *expr
	timeout    time.Duration
	then       flow
	do         body
}

// body is what a task does. It gets the task's input after input.from and
// returns its output before output.as. A flow other than next replaces the
// task's own then.
type body interface {
	run(x *execution, f frame, t *task, in *data) (*data, flow, error)
}

// flow says where control goes after a task: an index into the list, or one
// of the constants.
type flow int

const (
	flowNext flow = -1 - iota
	flowExit
	flowEnd
	flowContinue // a switch's choice to go on, which its own then does not change
)

// compiler holds what a list's tasks need to know of it.
type compiler struct {
	siblings []workflow.Task
	names    env
}

func compileList(tasks []workflow.Task, names env) (list, error) {
	c := compiler{siblings: tasks, names: names}
	l := make(list, len(tasks))
	for i, t := range tasks {
		ct, err := c.task(i, t)
		if err != nil {
			return nil, err
		}
		l[i] = ct
	}
	return l, nil
}

func (c compiler) task(i int, t workflow.Task) (*task, error) {
	ct := &task{name: t.Name, path: t.Path, timeout: t.Timeout}
	fail := func(what string, err error) (*task, error) {
		return nil, fmt.Errorf("%s: %s: %w", t.Path, what, err)
	}
	var err error
	for _, e := range []struct {
		to   **expr
		src  workflow.Expr
		what string
	}{
		{&ct.cond, t.If, "if"},
		{&ct.input, t.Input, "input.from"},
		{&ct.output, t.Output, "output.as"},
		{&ct.export, t.Export, "export.as"},
	} {
		if *e.to, err = compile(string(e.src), c.names); err != nil {
			return fail(e.what, err)
		}
	}
	// The identity means something here: the task runs if its input is truthy,
	// its output becomes the context.
	if t.If != "" && ct.cond == nil {
		ct.cond = identity
	}
	if t.Export != "" && ct.export == nil {
		ct.export = identity
	}
	if ct.then, err = c.target(i, t.Then); err != nil {
		return fail("then", err)
	}
	if ct.do, err = c.body(i, t); err != nil {
		return nil, fmt.Errorf("%s: %w", t.Path, err)
	}
	return ct, nil
}

var identity = func() *expr {
	x, err := compile("(.)", nil)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return x
}()

// target resolves a flow directive of the task at index i.
func (c compiler) target(i int, then string) (flow, error) {
	switch then {
	case "", "continue":
		return flowNext, nil
	case "exit":
		return flowExit, nil
	case "end":
		return flowEnd, nil
	}
	j := slices.IndexFunc(c.siblings, func(t workflow.Task) bool { return t.Name == then })
	if j < 0 {
		return 0, fmt.Errorf("no task %q in the same list", then)
	}
	if j <= i {
		return 0, fmt.Errorf("task %q is not after this one; repeat tasks with for", then)
	}
	return flow(j), nil
}

func (c compiler) body(i int, t workflow.Task) (body, error) {
	switch {
	case t.Call != nil && t.Call.HTTP != nil:
		return compileHTTP(t.Call.HTTP, c.names)
	case t.Call != nil:
		return compileCall(t.Call, c.names)
	case t.Fork != nil:
		return compileFork(t.Fork, c.names)
	case t.For != nil:
		return compileLoop(t.For, c.names)
	case t.Switch != nil:
		return c.choice(i, t.Switch)
	case t.Try != nil:
		then, err := c.target(i, t.Try.Catch.Then)
		if err != nil {
			return nil, fmt.Errorf("catch: then: %w", err)
		}
		if then == flowNext && t.Try.Catch.Then != "" {
			then = flowContinue
		}
		return compileTry(t.Try, then, c.names)
	case t.Raise != nil:
		return compileRaise(t.Raise, c.names)
	case t.Wait > 0:
		return waiting(t.Wait), nil
	case t.Do != nil:
		l, err := compileList(t.Do, c.names)
		return block{l}, err
	}
	// What is left is set, whose value may well be null.
	v, err := compileTemplate(t.Set, c.names)
	if err != nil {
		return nil, fmt.Errorf("set: %w", err)
	}
	return assignment{v}, nil
}
