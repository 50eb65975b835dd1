package manifest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aquatope/aquatope/manifest"
)

// service is a function in YAML whose metadata.labels are given.
func service(labels string) string {
	return "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: f\n  labels: " + labels +
		"\nspec: {template: {spec: {containers: [{image: a}]}}}\n"
}

func TestSyntax(t *testing.T) {
	good := service("{a: b}")
	for name, test := range map[string]struct {
		file, text string
		want       string // a part of the error, "" for none
		functions  int
	}{
		"yaml":               {text: good, functions: 1},
		"byte order mark":    {text: "\ufeff" + good, functions: 1},
		"carriage returns":   {text: strings.ReplaceAll(good, "\n", "\r\n"), functions: 1},
		"old Mac":            {text: strings.ReplaceAll(good, "\n", "\r"), functions: 1},
		"empty":              {text: ""},
		"comment":            {text: "# nothing\n"},
		"empty documents":    {text: "---\n---\n" + good + "---\n# end\n...\n---\n", functions: 1},
		"after end marker":   {text: good + "...\n---\n" + strings.Replace(good, "name: f", "name: g", 1), functions: 2},
		"marker with value":  {text: "--- # first\n" + good, functions: 1},
		"tabs in JSON":       {text: "{\n\t\"apiVersion\": \"serving.knative.dev/v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"f\"},\n\t\"spec\": {\"template\": {\"spec\": {\"containers\": [{\"image\": \"a\"}]}}}}", functions: 1},
		"several JSON":       {file: "a.json", text: strings.Repeat("{}", 2), want: "a.json:1:1: this is neither"},
		"flow style YAML":    {text: "{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: f}, spec: {template: {spec: {containers: [{image: a}]}}}}", functions: 1},
		"anchor":             {text: "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: &n f, labels: {a: *n}}\nspec: {template: {spec: {containers: [{image: *n}]}}}\n", functions: 1},
		"unknown anchor":     {text: service("{a: *b}"), want: "m.yaml:5:15: alias *b refers to no anchor before it"},
		"cyclic anchor":      {text: "a: &x [*x]\n", want: "alias *x contains itself"},
		"merge key":          {text: "a: &x {b: c}\nd:\n  <<: *x\n", want: "m.yaml:3:3: merge keys (<<) are not supported"},
		"tag":                {text: service("{a: !!str 5}"), want: "m.yaml:5:15: YAML tags"},
		"directive":          {text: "%YAML 1.2\n---\n" + good, want: "m.yaml:1:1: YAML directives"},
		"duplicate key":      {text: service("{a: b, \"a\": c}"), want: `m.yaml:5:18: key "a" is already set at 5:12`},
		"duplicate in JSON":  {text: "{\"a\": 1,\n \"a\": 2}", want: `m.yaml:2:2: key "a" is already set at 1:2`},
		"number as a key":    {text: "1: 2\n", want: "m.yaml:1:1: key 1 is not a string; quote it"},
		"tab":                {text: "a:\n\tb: 1\n", want: "m.yaml:2:1: not valid YAML"},
		"open bracket":       {text: "a: [\n", want: "m.yaml:1:4: not valid YAML"},
		"open brace in JSON": {file: "a.json", text: "{\"a\": [1,", want: "a.json:1:10: the JSON ends before it is complete"},
		"garbage in JSON":    {file: "a.json", text: "{\"a\": 1,\n  b}", want: "a.json:2:3: not valid JSON"},
		"unquoted in flow":   {text: "a: {b: ${ .x }}\n", want: "quote an expression"},
		"not UTF-8":          {text: "a: \xff\n", want: "m.yaml: the manifest is not UTF-8; save it as UTF-8"},
		"UTF-16":             {text: "\xff\xfea\x00", want: "not UTF-8"},
		"huge integer":       {text: service("{a: 123456789012345678901234567890}"), want: "m.yaml:5:15: number 123456789012345678901234567890 is too large to be exact; quote it if it is text"},
		"huge float":         {text: service("{a: 1e999}"), want: "number 1e999 is too large"},
		"huge in JSON":       {file: "a.json", text: "{\"a\": 1e999}", want: "a.json:1:7: number 1e999 is too large"},
		"hexadecimal":        {text: service("{a: 0x1F}"), want: "number 0x1F is not written as in JSON"},
		"octal":              {text: service("{a: 017}"), want: "number 017 is not written as in JSON"},
		"underscores":        {text: service("{a: 1_000}"), want: "number 1_000 is not written as in JSON"},
		"infinity":           {text: service("{a: .inf}"), want: "number .inf is not written as in JSON"},
		"quoted number":      {text: service("{a: \"017\"}"), functions: 1},
		"deep brackets":      {text: strings.Repeat("[", 100_000), want: "nested more than"},
		"deep braces":        {text: strings.Repeat("{a: ", 100_000), want: "nested more than"},
		"deep JSON":          {file: "a.json", text: strings.Repeat("{\"a\":", 100_000), want: "nested more than"},
		"deep dashes":        {text: strings.Repeat("- ", 100_000) + "a\n", want: "nested more than"},
		"deep indentation":   {text: staircase(1000), want: "nested more than"},
		"many keys":          {text: manyKeys(20_000), want: "more than 10000 keys at one indentation"},
		"too deep blocks":    {text: staircase(80), want: "nested more than"},
		"too large":          {text: "a: " + strings.Repeat("x", 2<<20), want: "larger than 1024 KiB"},
		"bomb":               {text: bomb(), want: "the document has more than 200000 values, aliases expanded"},
	} {
		t.Run(name, func(t *testing.T) {
			file := test.file
			if file == "" {
				file = "m.yaml"
			}
			b, err := manifest.Parse(file, []byte(test.text))
			switch {
			case test.want == "" && err != nil:
				t.Fatal(err)
			case test.want == "" && len(b.Functions) != test.functions:
				t.Fatalf("%d functions, want %d", len(b.Functions), test.functions)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Fatalf("error %v\nwant %q", err, test.want)
			}
		})
	}
}

// staircase is objects nested by indentation.
func staircase(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%sa:\n", strings.Repeat(" ", i))
	}
	return b.String()
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%d: 1\n", i)
	}
	return b.String()
}

// bomb is a small text with a billion aliases.
func bomb() string {
	text := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 9; i++ {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return text
}
