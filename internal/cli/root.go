package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// New returns the whole command tree, wired to env.
func New(env *Env) *cobra.Command {
	root := &cobra.Command{
		Use:   "aquatope",
		Short: "Run workflows of functions at the lowest cost that keeps their promise",
		Long: `Aquatope runs multi-stage workflows of functions and keeps one promise about
each of them: "95 % of runs end within 900 ms". It forecasts how many instances
every function will need and has them warm in time, and it finds the cheapest
CPU and memory for every function such that the promise holds end to end.`,
		Example: `  # terminal 1: start the server on this machine
  aquatope up

  # terminal 2: deploy a workflow with its functions, then run it
  aquatope deploy -f examples/chain
  aquatope invoke chain -d @examples/chain/payloads/monday.json
  aquatope status`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := applySettings(env, cmd); err != nil {
				return err
			}
			return checkOutput(env.flags.output)
		},
	}
	root.PersistentFlags().StringVarP(&env.flags.output, "output", "o", "table",
		"how results are printed: "+strings.Join(outputs, ", "))
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(outputs, cobra.ShellCompDirectiveNoFileComp))
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		// The flags of a command that is misspelt are unknown, too.
		if args := cmd.Flags().Args(); cmd.HasSubCommands() && len(args) > 0 {
			return cmd.Args(cmd, args)
		}
		return err
	})
	root.AddGroup(
		&cobra.Group{ID: groupRun, Title: "Run workflows:"},
		&cobra.Group{ID: groupDecide, Title: "Forecast, size, explain:"},
		&cobra.Group{ID: groupStudy, Title: "Study and compare:"},
	)
	return parent(root,
		// One line for each command, in alphabetical order.
		newDeleteCmd(env),
		newDeployCmd(env),
		newDoctorCmd(env),
		newExperimentCmd(env),
		newExplainCmd(env),
		newInvokeCmd(env),
		newLoadCmd(env),
		newProfileCmd(env),
		newRunsCmd(env),
		newSimulateCmd(env),
		newStatusCmd(env), newForecastCmd(env),
		newTraceCmd(env),
		newTuneCmd(env),
		newUpCmd(env),
		newVersionCmd(env),
	)
}

// The groups of commands in the help text; a command names its own in GroupID.
const (
	groupRun    = "run"    // up, deploy, invoke, ...
	groupDecide = "decide" // forecast, tune, explain, ...
	groupStudy  = "study"  // trace, simulate, experiment, ...
)
