package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"github.com/aquatope/aquatope/workflow"
)

// maxExpr is the most bytes an expression may have.
const maxExpr = 16 << 10

// Runtime variables by the place of an expression, after the specification's
// table of runtime expression arguments. Secrets and authorization are refused
// everywhere.
var (
	workflowScope = scope{"$workflow", "$runtime"}
	contextScope  = append(scope{"$context"}, workflowScope...)
	beforeScope   = append(scope{"$task"}, contextScope...) // if, input.from
	taskScope     = append(scope{"$input"}, beforeScope...) // the task itself, output.as
	exportScope   = append(scope{"$output"}, taskScope...)  // export.as
)

// scope is the variables that an expression may name, each with its $.
type scope []string

// with returns the scope with more variables.
func (s scope) with(names ...string) scope {
	return slices.Concat(s, names)
}

var (
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	definition   = regexp.MustCompile(`\$task\s*\.\s*definition`)
)

// isWholeExpression reports whether a string as a whole is ${ something }.
func isWholeExpression(s string) bool {
	s = strings.TrimSpace(s)
	return strings.HasPrefix(s, "${") && strings.HasSuffix(s, "}")
}

// bare strips the ${ } around an expression.
func bare(s string) string {
	s = strings.TrimSpace(s)
	if isWholeExpression(s) {
		s = strings.TrimSpace(s[2 : len(s)-1])
	}
	return s
}

// checkExpr reports what is wrong with a jq expression without its ${ }: its
// syntax, its functions, or variables outside the scope.
func checkExpr(src string, vars scope) (err error) {
	if len(src) > maxExpr {
		return fmt.Errorf("it is longer than %d bytes", maxExpr)
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("jq cannot read it")
		}
	}()
	query, err := gojq.Parse(src)
	if err != nil {
		return err
	}
	// What only parses by itself would break out of the ${ } around it: a
	// comment that never ends, an import.
	if _, err := gojq.Parse("(" + src + ")"); err != nil {
		return fmt.Errorf("it holds a comment or an import")
	}
	if definition.MatchString(src) {
		return errors.New("the definition of a task cannot be read from expressions")
	}
	names := slices.Clone(vars)
	slices.Sort(names)
	_, err = gojq.Compile(query, gojq.WithVariables(slices.Compact(names)))
	return err
}

// checked reports a problem with an expression at n.
func (r *reader) checked(n *node, path, src string, vars scope) {
	err := checkExpr(src, vars)
	if err == nil {
		return
	}
	hint := ""
	switch text := err.Error(); {
	case strings.Contains(text, "$secrets"), strings.Contains(text, "$authorization"):
		hint = "give functions their secrets through env"
	case strings.Contains(text, "variable not defined"):
		hint = "defined here: " + strings.Join(vars, ", ")
	case strings.Contains(text, "function not defined"):
		hint = "use a function of jq, or put a literal text in double quotes"
	}
	r.fail(n.at, path, hint, "expression %s: %v", abbreviate(src), err)
}

// abbreviate shortens a text for a message.
func abbreviate(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:57], "") + "..."
	}
	return s
}

// expr reads an expression where the specification wants one: bare or in ${ }.
func (r *reader) expr(n *node, path string, vars scope) workflow.Expr {
	if n.kind != kindString {
		r.fail(n.at, path, "write it as a string", "must be a jq expression, not %s", n.kind)
		return ""
	}
	src := bare(n.text)
	if src == "" {
		r.fail(n.at, path, "write . for the whole value, or delete the key", "the expression is empty")
		return ""
	}
	r.checked(n, path, src, vars)
	return workflow.Expr(src)
}

// transform reads an input.from, output.as or export.as: an expression, or an
// object with expressions in ${ }, which becomes the expression that makes it.
func (r *reader) transform(n *node, path string, vars scope) workflow.Expr {
	if n.kind == kindObject {
		r.value(n, path, vars)
		return workflow.Expr(construct(n))
	}
	return r.expr(n, path, vars)
}

// construct returns a jq expression that makes the value of n.
func construct(n *node) string {
	switch n.kind {
	case kindString:
		if isWholeExpression(n.text) {
			return "(" + bare(n.text) + ")"
		}
	case kindList:
		parts := make([]string, len(n.list))
		for i, v := range n.list {
			parts[i] = construct(v)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case kindObject:
		parts := make([]string, len(n.fields))
		for i, f := range n.fields {
			parts[i] = quoteJSON(f.key) + ": " + construct(f.value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	text, err := json.Marshal(n.plain())
	if err != nil {
		panic("manifest: a scalar that is not JSON: " + err.Error())
	}
	return string(text)
}

// quoteJSON writes a string literal of JSON, which is also one of jq: JSON
// escapes every backslash, so that nothing in it interpolates.
func quoteJSON(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic("manifest: a string that is not JSON: " + err.Error())
	}
	return string(text)
}

// value reads a value in which strings may be expressions in ${ }.
func (r *reader) value(n *node, path string, vars scope) workflow.Value {
	r.values(n, path, vars)
	return n.plain()
}

func (r *reader) values(n *node, path string, vars scope) {
	switch n.kind {
	case kindString:
		r.text(n, path, vars)
	case kindList:
		for i, v := range n.list {
			r.values(v, fmt.Sprintf("%s[%d]", path, i), vars)
		}
	case kindObject:
		for _, f := range n.fields {
			r.values(f.value, join(path, f.key), vars)
		}
	}
}

// text checks a string that may be an expression as a whole.
func (r *reader) text(n *node, path string, vars scope) {
	switch {
	case isWholeExpression(n.text):
		r.checked(n, path, bare(n.text), vars)
	case strings.HasPrefix(strings.TrimSpace(n.text), "${") && !strings.Contains(n.text, "}"):
		r.fail(n.at, path, "close it: ${ .name }", "the expression has no closing brace")
	case strings.Contains(n.text, "${"):
		r.fail(n.at, path, `write the whole text as one expression: ${ "Hello \(.name)" }`,
			"an expression within a text would not be evaluated")
	}
}
