package cli_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/internal/cli"
)

const referencePath = "../../docs/reference/cli.md"

// docs/reference/cli.md is written from the same texts as --help.
func TestReference(t *testing.T) {
	t.Parallel()
	env := &cli.Env{
		Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard, Dir: "/",
		Getenv: func(name string) string { return map[string]string{"HOME": "~"}[name] },
	}
	var b strings.Builder
	b.WriteString(referenceHead)
	describe(&b, cli.New(env))
	want := b.String()
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.WriteFile(referencePath, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(referencePath)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s does not say what --help says: UPDATE_DOCS=1 go test ./internal/cli -run TestReference", referencePath)
	}
}

const referenceHead = "# Command line\n\n" +
	"Written from the program's own help: `aquatope COMMAND --help` says the same.\n\n" +
	"Data goes to stdout, progress and messages to stderr. `-o` chooses the form of the data: `table` for people, " +
	"`json` and `yaml` with `apiVersion` and `kind`, `csv` in base units with the unit in the column's name. " +
	"`NO_COLOR` is respected, and nothing is coloured or redrawn where no terminal is.\n\n" +
	"| exit code | meaning |\n| --- | --- |\n" +
	"| 0 | done |\n| 1 | failed; stderr says why and what to do |\n| 2 | called wrongly: unknown command or flag, wrong arguments |\n" +
	"| 3 | the promise of a workflow was not met, or cannot be |\n| 4 | stopped by a budget before the work was done |\n| 130 | interrupted: `load`, `simulate` and the experiments that compare print what was through by then, `tune` and `profile` keep their runs |\n\n" +
	"The flags `--data`, `--driver`, `--listen`, `--output` and `--server` also come from the environment and from files. " +
	"The first of these that says something holds: the flag; `AQUATOPE_` and its name in capitals; the project file `.aquatope.yaml` " +
	"in the working directory or the nearest one above it; the user file `aquatope/config.yaml` in `$XDG_CONFIG_HOME` (`~/.config`); the default. " +
	"The files hold lines such as `server: http://127.0.0.1:9000`; an unknown name in them is an error.\n\n" +
	"The first Ctrl-C ends a command cleanly, the second at once.\n"

func describe(w io.Writer, c *cobra.Command) {
	if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
		return
	}
	fmt.Fprintf(w, "\n## %s\n\n%s.\n\n", c.CommandPath(), c.Short)
	if c.Long != "" {
		fmt.Fprintf(w, "%s\n\n", c.Long)
	}
	if c.Runnable() {
		fmt.Fprintf(w, "```\n%s\n```\n", c.UseLine())
	}
	if c.Example != "" {
		fmt.Fprintf(w, "\nExamples:\n\n```sh\n%s\n```\n", dedent(c.Example))
	}
	if flags := c.LocalFlags().FlagUsages(); c.LocalFlags().HasAvailableFlags() {
		fmt.Fprintf(w, "\nFlags:\n\n```\n%s```\n", flags)
	}
	for _, sub := range c.Commands() {
		describe(w, sub)
	}
}

func dedent(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "  ")
	}
	return strings.Join(lines, "\n")
}
