package cli

import (
	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/server/client"
)

// serverFlag gives cmd the flag --server.
func (e *Env) serverFlag(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringVar(&e.flags.server, "server", client.DefaultAddress, "address of the server (or set AQUATOPE_SERVER)")
	return cmd
}

// client returns a client of the server that --server names.
func (e *Env) client() (*client.Client, error) {
	c, err := client.New(e.flags.server)
	if err != nil {
		return nil, Usagef("--server: %w", err)
	}
	return c, nil
}
