package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/server/api"
)

func newDoctorCmd(env *Env) *cobra.Command {
	var driver string
	cmd := &cobra.Command{
		Use:     "doctor",
		GroupID: groupRun,
		Short:   "Find out what this machine can enforce and measure",
		Long: `Checks this machine: whether CPU and memory limits of functions can be enforced
and measured, whether instances can be confined, whether a Docker engine
answers, and whether a server runs. What is missing is named with the way to
get it. Exits with 1 when something that is needed does not work.`,
		Example: "  aquatope doctor\n  aquatope doctor -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			checks := machineChecks(cmd.Context(), driver)
			checks = append(checks, serverCheck(cmd.Context(), env))
			t := Table{Columns: []string{"", "check", "found", "do"}}
			failed := 0
			for _, c := range checks {
				if c.Status == api.CheckFail {
					failed++
				}
				t.Rows = append(t.Rows, []any{string(c.Status), c.Name, c.Detail, c.Hint})
			}
			if err := env.Print("Doctor", api.Doctor{Checks: checks}, t); err != nil {
				return err
			}
			if failed > 0 {
				return fmt.Errorf("%d checks failed", failed)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&driver, "driver", "process", "driver to check: process or docker")
	return env.serverFlag(cmd)
}
