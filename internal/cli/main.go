package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Main runs the program with args and returns its exit code. The first SIGINT
// or SIGTERM cancels the command's context, so that it can end cleanly; the
// second ends the process at once.
func Main(env *Env, args []string) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
			return
		}
		<-signals
		os.Exit(ExitInterrupted)
	}()
	return Run(ctx, env, args)
}

// Run runs the program with args until it ends or ctx is done, and returns its
// exit code. It installs no signal handlers.
func Run(ctx context.Context, env *Env, args []string) int {
	root := New(env)
	root.SetArgs(args)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)

	// What goes wrong before a command's own code runs is about its arguments.
	started := false
	wrapRuns(root, func() { started = true })
	err := root.ExecuteContext(ctx)
	if err != nil && !started {
		err = asUsage(err)
	}
	code, message := exitCode(ctx, err)
	if message != "" {
		fmt.Fprintf(env.Stderr, "aquatope: %s\n", message)
	}
	if code == ExitUsage {
		fmt.Fprintf(env.Stderr, "Run %q for help.\n", helpCommand(root, args))
	}
	return code
}

// wrapRuns makes every command below c call started before its own code, and say
// how it is called where the number of arguments is wrong.
func wrapRuns(c *cobra.Command, started func()) {
	if check := c.Args; check != nil && !c.HasSubCommands() {
		c.Args = func(cmd *cobra.Command, args []string) error {
			switch err := check(cmd, args); {
			case err == nil:
				return nil
			case len(args) == 0:
				return Usagef("something is missing: write %s", cmd.UseLine())
			default:
				return Usagef("%q is too much: write %s", args[len(args)-1], cmd.UseLine())
			}
		}
	}
	if run := c.RunE; run != nil {
		c.RunE = func(cmd *cobra.Command, args []string) error {
			started()
			return run(cmd, args)
		}
	}
	for _, sub := range c.Commands() {
		wrapRuns(sub, started)
	}
}

func asUsage(err error) error {
	if _, ok := err.(*ExitError); ok {
		return err
	}
	return Exit(ExitUsage, err)
}

// helpCommand is the command whose help answers what was wrong with args.
func helpCommand(root *cobra.Command, args []string) string {
	if cmd, _, err := root.Find(args); err == nil {
		return cmd.CommandPath() + " --help"
	}
	return root.Name() + " --help"
}
