package fn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Start brings one function up: it loads what every call needs (a model, a
// database) and returns what serves the calls. The time it takes is part of
// a cold start.
type Start func() (http.Handler, error)

// Set holds the functions of a binary by name.
type Set map[string]Start

// Main is the whole of a main function. With the argument "prepare DIR" it
// calls prepare, which generates the example's inputs and models into DIR;
// with the name of a function it serves that until SIGTERM. prepare may be nil.
func Main(functions Set, prepare func(dir string) error) {
	if err := run(os.Args[1:], functions, prepare); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, functions Set, prepare func(dir string) error) error {
	if len(args) == 2 && args[0] == "prepare" {
		if prepare == nil {
			return nil
		}
		return prepare(args[1])
	}
	if len(args) != 1 || functions[args[0]] == nil {
		names := slices.Sorted(maps.Keys(functions))
		return fmt.Errorf("the one argument is the function to serve: %s", strings.Join(names, ", "))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	handler, err := functions[args[0]]()
	if err != nil {
		return fmt.Errorf("starting %s: %w", args[0], err)
	}
	listener, err := net.Listen("tcp", ":"+cmp.Or(os.Getenv("PORT"), "8080"))
	if err != nil {
		return err
	}
	return Serve(ctx, listener, handler)
}

// Serve answers calls until ctx is done, then finishes those under way.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	drained := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		drained <- server.Shutdown(grace)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-drained
}
