package cli

import (
	"github.com/spf13/cobra"
)

func newDeleteCmd(env *Env) *cobra.Command {
	return parent(&cobra.Command{
		Use:     "delete",
		GroupID: groupRun,
		Short:   "Remove workflows or functions from the server",
	}, newDeleteKindCmd(env, "workflow"), newDeleteKindCmd(env, "function"))
}

func newDeleteKindCmd(env *Env, kind string) *cobra.Command {
	long := map[string]string{
		"workflow": "Removes workflows. Their runs under way end as they would have; their functions stay.",
		"function": "Removes functions and stops their instances once requests under way have ended. A function that a deployed workflow calls is refused.",
	}
	cmd := &cobra.Command{
		Use:     kind + " NAME...",
		Short:   "Remove " + kind + "s",
		Long:    long[kind],
		Example: "  aquatope delete " + kind + " old-one",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := env.client()
			if err != nil {
				return err
			}
			remove := c.DeleteFunction
			if kind == "workflow" {
				remove = c.DeleteWorkflow
			}
			for _, name := range args {
				if err := remove(cmd.Context(), name); err != nil {
					return err
				}
				env.Notef("%s %s removed", kind, name)
			}
			return nil
		},
	}
	return env.serverFlag(cmd)
}
