package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func newExperimentCmd(env *Env) *cobra.Command {
	return parent(&cobra.Command{
		Use:     "experiment",
		GroupID: groupStudy,
		Short:   "Run the comparisons that the project's claims rest on",
		Long: `Each experiment measures one claim against its peers, in one process tree,
interleaved, with the same information for everyone, and prints what it found.
Run one with -o json to get every figure.`,
	},
		// One line for each experiment, in alphabetical order.
		newExperimentEndToEndCmd(env),
		newExperimentForecastCmd(env),
		newExperimentOverheadCmd(env),
		newExperimentStepCmd(env),
		newExperimentTuneCmd(env),
		newExperimentTuneLiveCmd(env),
		newExperimentPoolCmd(env),
		newExperimentValidateCmd(env),
	)
}

// parent makes cmd a command that only has sub-commands: alone it prints its
// help, and an unknown sub-command is an error rather than an argument.
func parent(cmd *cobra.Command, sub ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(sub...)
	cmd.SuggestionsMinimumDistance = 2 // letters; only cobra's own errors have a default
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		hint := ""
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			hint = fmt.Sprintf(": did you mean %q?", near[0])
		} else if cmd.HasParent() {
			var names []string
			for _, c := range cmd.Commands() { // sorted
				names = append(names, c.Name())
			}
			hint = ": use one of " + strings.Join(names, ", ")
		}
		return Usagef("unknown command %q for %q%s", args[0], cmd.CommandPath(), hint)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}

// amongAll refuses names of a list that are not among all.
func amongAll(flag string, names, all []string) error {
	for _, n := range names {
		if !slices.Contains(all, n) {
			return Usagef("%s: there is no %q: use some of %s", flag, n, strings.Join(all, ", "))
		}
	}
	return nil
}
