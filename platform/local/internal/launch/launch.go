// Package launch prepares a process from inside before it becomes a function:
// it enters its control groups, gives up rights and replaces itself. Any
// binary that links this package is its own launcher: started under the name
// Name, it never reaches main.
//
// The work is done while packages initialise, for two reasons. The process is
// on its first thread then, which is the one that has to enter the groups,
// drop the rights and call exec; and main's own start-up costs, which would
// be part of every cold start, are not paid.
package launch

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Name is the argv[0] that turns a binary into a launcher.
const Name = "aquatope-launch"

// failed is the exit status of a launcher that could not start its function,
// as shells have it for commands that cannot be executed.
const failed = 126

// Plan is what to do before exec.
type Plan struct {
	Join []string // files of control groups to write "0" into
	Path string   // of the executable, absolute
	Args []string // without argv[0], which is Path
}

// Argv encodes the plan as the launcher's arguments.
func (p Plan) Argv() []string {
	argv := []string{Name}
	for _, f := range p.Join {
		argv = append(argv, "join="+f)
	}
	argv = append(argv, "--", p.Path)
	return append(argv, p.Args...)
}

// parse decodes the arguments that Argv made.
func parse(args []string) (Plan, error) {
	var p Plan
	for i, a := range args {
		if a == "--" && i+1 < len(args) {
			p.Path, p.Args = args[i+1], args[i+2:]
			return p, nil
		}
		k, v, _ := strings.Cut(a, "=")
		switch k {
		case "join":
			p.Join = append(p.Join, v)
		default:
			return p, fmt.Errorf("unknown argument %q", a)
		}
	}
	return p, fmt.Errorf("no command")
}

func init() {
	if len(os.Args) == 0 || os.Args[0] != Name {
		return
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", Name, run(os.Args[1:]))
	os.Exit(failed)
}

// run returns only on errors.
func run(args []string) error {
	p, err := parse(args)
	if err != nil {
		return err
	}
	for _, f := range p.Join {
		if err := join(f); err != nil {
			return fmt.Errorf("entering control group: %w", err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("giving up new privileges: %w", err)
	}
	if err := syscall.Exec(p.Path, append([]string{p.Path}, p.Args...), os.Environ()); err != nil {
		return fmt.Errorf("executing %s: %w", p.Path, err)
	}
	return nil
}

func join(file string) error {
	fd, err := syscall.Open(file, syscall.O_WRONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: file, Err: err}
	}
	defer syscall.Close(fd)
	if _, err := syscall.Write(fd, []byte{'0'}); err != nil {
		return &os.PathError{Op: "write", Path: file, Err: err}
	}
	return nil
}
