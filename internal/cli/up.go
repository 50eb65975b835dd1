package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform/local"
	"github.com/aquatope/aquatope/server"
)

type upFlags struct {
	listen, data, driver, price, readyFile, logFormat string
	cpu, memory, pool                                 string
	grace, queueDeadline, window                      time.Duration
	verbose                                           bool
}

func newUpCmd(env *Env) *cobra.Command {
	var f upFlags
	cmd := &cobra.Command{
		Use:     "up",
		GroupID: groupRun,
		Short:   "Start the server on this machine",
		Long: `Starts the server: it runs functions on this machine within limits on CPU and
memory, runs workflows on them, and remembers what it observed. What was
deployed before is deployed again, and asynchronous runs that had not ended go on.

Ctrl-C ends it: nothing new is accepted, synchronous runs end within --grace,
asynchronous ones go on at the next start, then all instances stop. A second
Ctrl-C ends it at once.

The server has no authentication yet, so it listens on this machine only unless
told otherwise.`,
		Example: `  aquatope up
  aquatope up --listen 127.0.0.1:9000 --data ./state

  # in scripts: choose a free port, and find out which
  aquatope up --listen 127.0.0.1:0 --ready-file url.txt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return up(cmd.Context(), env, f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.listen, "listen", "127.0.0.1:8280", "address to listen on; port 0 chooses a free one")
	fl.StringVar(&f.data, "data", dataDir(env), "folder for everything that outlives the process")
	fl.StringVar(&f.driver, "driver", local.DriverProcess, "how instances are run: process or docker")
	fl.StringVar(&f.cpu, "capacity-cpu", "", "CPUs that the limits of all instances may sum up to; idle instances use none, so more than the machine has is sound (default four times what it has)")
	fl.StringVar(&f.memory, "capacity-memory", "", "memory that the limits of all instances may sum up to, such as 8Gi (default nine tenths of the machine's)")
	fl.StringVar(&f.price, "price", "cloud-run", "price list for costs: aws-lambda, azure, cloud-run or paper")
	fl.DurationVar(&f.grace, "grace", 30*time.Second, "how long synchronous runs may take to end at Ctrl-C")
	fl.DurationVar(&f.queueDeadline, "queue-deadline", 30*time.Second, "how long a request waits for an instance before it is turned away")
	fl.StringVar(&f.pool, "pool", string(control.ModeRecommend), "what the pool scheduler may do: off, recommend (forecast and write the journal, change nothing) or apply")
	fl.DurationVar(&f.window, "window", time.Minute, "time between two plans of the pool scheduler; idle instances beyond them end after ten windows")
	fl.StringVar(&f.readyFile, "ready-file", "", "write the server's URL to this file once it takes requests")
	fl.StringVar(&f.logFormat, "log-format", "text", "format of the log on stderr: text or json")
	fl.BoolVarP(&f.verbose, "verbose", "v", false, "log more: every start of an instance, what functions print")
	return cmd
}

// dataDir is the default data folder: aquatope in $XDG_DATA_HOME, or in
// ~/.local/share.
func dataDir(env *Env) string {
	if dir := env.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "aquatope")
	}
	if home := env.Getenv("HOME"); home != "" {
		return filepath.Join(home, ".local", "share", "aquatope")
	}
	return "aquatope-data"
}

func up(ctx context.Context, env *Env, f upFlags) error {
	price, err := function.LookupPrice(f.price)
	if err != nil {
		return Usagef("--price: %w", err)
	}
	if f.driver != local.DriverProcess && f.driver != local.DriverDocker {
		return Usagef("--driver %q: use %s or %s", f.driver, local.DriverProcess, local.DriverDocker)
	}
	capacity, err := f.capacity()
	if err != nil {
		return err
	}
	mode, err := control.ParseMode(f.pool)
	if err != nil {
		return Usagef("--pool: %w", err)
	}
	if f.window < time.Second || f.window > time.Hour {
		return Usagef("--window %s: use from 1s to 1h", f.window)
	}
	logger, err := env.logger(f.logFormat, f.verbose)
	if err != nil {
		return err
	}
	// The port is taken before anything starts: a second server must not get
	// as far as to end the first one's instances.
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return fmt.Errorf("listening on %s: %w\n  choose another address with --listen", f.listen, err)
	}
	s, err := server.Open(ctx, server.Config{
		DataDir: env.path(f.data), Driver: f.driver, Version: buildVersion().Version, Price: price,
		Capacity: capacity, QueueDeadline: f.queueDeadline, Pool: mode, Window: f.window, Logger: logger,
	})
	if err != nil {
		listener.Close()
		return err
	}
	address := "http://" + listener.Addr().String()
	if err := announce(env, f, s, listener.Addr(), address); err != nil {
		listener.Close()
		return errors.Join(err, s.Close(ctx))
	}
	return serve(ctx, env, s, listener, f.grace)
}

// capacity is what the flags say, 0 where they say nothing.
func (f upFlags) capacity() (r function.Resources, err error) {
	if f.cpu != "" {
		if r.CPU, err = function.ParseMilliCPU(f.cpu); err != nil {
			return r, Usagef("--capacity-cpu: %w", err)
		}
	}
	if f.memory != "" {
		if r.Memory, err = function.ParseBytes(f.memory); err != nil {
			return r, Usagef("--capacity-memory: %w", err)
		}
	}
	return r, nil
}

func (e *Env) logger(format string, verbose bool) (*slog.Logger, error) {
	o := &slog.HandlerOptions{Level: slog.LevelInfo}
	if verbose {
		o.Level = slog.LevelDebug
	}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(e.Stderr, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(e.Stderr, o)), nil
	}
	return nil, Usagef("--log-format %q: use text or json", format)
}

// announce says where the server is and what to do next.
func announce(env *Env, f upFlags, s *server.Server, addr net.Addr, address string) error {
	if tcp, ok := addr.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		env.Notef("warning: %s can be reached from other machines, and there is no authentication: whoever reaches it runs commands as this user", addr)
		if tcp.IP.IsUnspecified() {
			address = fmt.Sprintf("http://127.0.0.1:%d", tcp.Port)
		}
	}
	for _, w := range s.Warnings() {
		env.Notef("warning: %s", w)
	}
	if f.readyFile != "" {
		if err := writeReady(env.path(f.readyFile), address); err != nil {
			return err
		}
	}
	env.Notef("Aquatope is up at %s (data in %s).", address, f.data)
	hint := ""
	if address != "http://127.0.0.1:8280" {
		hint = " --server " + address
	}
	env.Notef("Next, in another terminal: aquatope deploy -f FILE|DIR%s\nCtrl-C ends it.", hint)
	return nil
}

// serve serves until ctx is done, then drains.
func serve(ctx context.Context, env *Env, s *server.Server, listener net.Listener, grace time.Duration) error {
	h := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       2 * time.Minute,
	}
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(listener) }()
	var broken error
	select {
	case <-ctx.Done():
		env.Notef("shutting down: runs under way have %s to end; Ctrl-C again ends them now", humanDuration(grace))
	case broken = <-failed:
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := h.Shutdown(drain)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.New("requests under way did not end within --grace and were cut off")
		h.Close()
	}
	if err := errors.Join(broken, err, s.Close(drain)); err != nil {
		return fmt.Errorf("shutting down: %w", err)
	}
	env.Notef("stopped")
	return nil
}
