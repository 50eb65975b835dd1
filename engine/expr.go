package engine

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/itchyny/gojq"
)

// env is what expressions at one place of a workflow may name besides the
// runtime's variables: those of the enclosing loops and catches. The index of a
// name is the index of its value in frame.vars; a later one hides an earlier.
type env []string

// The runtime's variables, in the order in which variable values are gathered.
var runtimeVariables = []string{"$context", "$input", "$output", "$task", "$workflow", "$runtime", clockVariable}

// clockVariable holds the logical time that the jq function now returns.
const clockVariable = "$__now"

var clockFunction = func() *gojq.FuncDef {
	q, err := gojq.Parse("def now: " + clockVariable + "; .")
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return q.FuncDefs[0]
}()

// expr is a compiled jq expression.
type expr struct {
	code    *gojq.Code
	runtime []int // indices into runtimeVariables that it names
	scoped  []int // indices into frame.vars that it names
}

var (
	variableName = regexp.MustCompile(`\$[A-Za-z_][A-Za-z0-9_]*`)
	definition   = regexp.MustCompile(`\$task\s*\.\s*definition`)
	usesNow      = regexp.MustCompile(`\bnow\b`)
)

// compile returns nil for an absent expression and for the identity.
func compile(src string, names env) (*expr, error) {
	src = strings.TrimSpace(src)
	if src == "" || src == "." {
		return nil, nil
	}
	q, err := gojq.Parse(src)
	if err != nil {
		return nil, fmt.Errorf("parsing expression %q: %w", src, err)
	}
	used := variableName.FindAllString(src, -1)
	for _, v := range used {
		if (v == "$secrets" || v == "$authorization") && !slices.Contains(names, v) {
			return nil, fmt.Errorf("expression %q: %s is not available; give functions their secrets through env", src, v)
		}
	}
	if definition.MatchString(src) {
		return nil, fmt.Errorf("expression %q: $task.definition is not available", src)
	}
	x := &expr{}
	var vars []string
	for i, v := range runtimeVariables {
		if slices.Contains(used, v) && !slices.Contains(names, v) || v == clockVariable && usesNow.MatchString(src) {
			x.runtime = append(x.runtime, i)
			vars = append(vars, v)
		}
	}
	for i, v := range names {
		hidden := slices.Contains(names[i+1:], v)
		if !hidden && slices.Contains(used, v) {
			x.scoped = append(x.scoped, i)
			vars = append(vars, v)
		}
	}
	if slices.Contains(vars, clockVariable) {
		q.FuncDefs = append([]*gojq.FuncDef{clockFunction}, q.FuncDefs...)
	}
	x.code, err = gojq.Compile(q, gojq.WithVariables(vars))
	if err != nil {
		return nil, fmt.Errorf("expression %q: %w", src, err)
	}
	return x, nil
}

// run evaluates the expression, which must give exactly one result.
func (x *expr) run(ctx context.Context, in any, vars []any) (v any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the expression broke the interpreter: %v", r)
		}
	}()
	iter := x.code.RunWithContext(ctx, in, vars...)
	v, ok := iter.Next()
	if !ok {
		return nil, errors.New("it gave no result; use // to give a default")
	}
	if err, ok := v.(error); ok {
		return nil, err
	}
	switch next, more := iter.Next(); next := next.(type) {
	case error:
		return nil, next
	default:
		if more {
			return nil, errors.New("it gave more than one result; put it in [ ] to gather them")
		}
	}
	return v, nil
}

// truth is jq's: everything but false and null.
func truth(v any) bool { return v != nil && v != false }
