// Package docker runs instances as containers of a Docker engine on this
// machine. The engine sets the limits; CPU time and memory are read from the
// containers' control groups, as for processes.
package docker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/aquatope/aquatope/platform/local/internal/cgroup"
	"github.com/aquatope/aquatope/platform/local/internal/sandbox"
)

// label marks the containers of one platform; its value is derived from the
// platform's state folder.
const label = "dev.aquatope.platform"

// inside are the port and the shared folder as a container sees them.
const (
	insidePort   = "8080"
	insideShared = "/aquatope-data"
)

// maxPids bounds the processes and threads of one instance.
var maxPids int64 = 2048

// housekeeping bounds a call to the engine that is not part of a start.
const housekeeping = 30 * time.Second

// Driver starts containers. Make one with New.
type Driver struct {
	api      *client.Client
	owner    string // the value of label
	shared   string // a folder for all instances, which is kept
	rootless bool   // container addresses cannot be reached from here
	enforced sandbox.Enforced
	log      *slog.Logger
}

// New connects to the engine that the environment names (DOCKER_HOST and so
// on, as for the docker command), and removes the containers that an earlier
// process left there for the state folder dir.
func New(ctx context.Context, dir string, log *slog.Logger) (*Driver, error) {
	api, err := client.New(client.FromEnv)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(dir))
	d := &Driver{api: api, owner: hex.EncodeToString(sum[:6]), shared: filepath.Join(dir, "shared"), log: log}
	if err := d.prepare(ctx); err != nil {
		return nil, errors.Join(err, api.Close())
	}
	return d, nil
}

func (d *Driver) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, housekeeping)
	defer cancel()
	info, err := d.api.Info(ctx, client.InfoOptions{})
	if err != nil {
		return fmt.Errorf("reaching the Docker engine: %w; start it, or set DOCKER_HOST", err)
	}
	d.rootless = strings.Contains(strings.Join(info.Info.SecurityOptions, " "), "rootless")
	d.enforced = sandbox.Enforced{CPU: info.Info.CPUCfsQuota, Memory: info.Info.MemoryLimit}
	if !d.enforced.CPU || !d.enforced.Memory {
		d.enforced.Reason = "the Docker engine cannot limit both CPU and memory here: " + strings.Join(info.Info.Warnings, "; ")
	}
	if err := os.MkdirAll(d.shared, 0o700); err != nil {
		return err
	}
	n, err := d.sweep(ctx)
	if n > 0 {
		d.log.Warn("removed containers that an earlier process left", "containers", n)
	}
	return err
}

// sweep removes all containers of this owner.
func (d *Driver) sweep(ctx context.Context) (int, error) {
	left, err := d.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", label+"="+d.owner)})
	if err != nil {
		return 0, fmt.Errorf("listing containers: %w", err)
	}
	var errs []error
	for _, c := range left.Items {
		errs = append(errs, d.remove(ctx, c.ID))
	}
	return len(left.Items), errors.Join(errs...)
}

func (d *Driver) remove(ctx context.Context, id string) error {
	_, err := d.api.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil {
		return fmt.Errorf("removing container: %w", err)
	}
	return nil
}

// Enforced says which limits the engine can set.
func (d *Driver) Enforced() sandbox.Enforced { return d.enforced }

// Close removes what is left and disconnects.
func (d *Driver) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), housekeeping)
	defer cancel()
	_, err := d.sweep(ctx)
	return errors.Join(err, d.api.Close())
}

// Start starts one container.
func (d *Driver) Start(ctx context.Context, spec sandbox.Spec) (sandbox.Instance, error) {
	rev := spec.Revision
	if rev.Function.Image == "" {
		return nil, fmt.Errorf("function %s has no image: the docker driver needs one, or use the process driver for its command", rev.Function.Name)
	}
	config, host := d.describe(spec)
	made, err := d.api.ContainerCreate(ctx, client.ContainerCreateOptions{Config: config, HostConfig: host, Name: "aquatope-" + d.owner + "-" + spec.Instance})
	if err != nil {
		return nil, fmt.Errorf("creating a container of %s: %w", rev.Function.Image, err)
	}
	in := &instance{driver: d, id: made.ID, done: make(chan struct{})}
	if err := in.start(ctx, spec); err != nil {
		ctx, cancel := context.WithTimeout(context.Background(), housekeeping)
		defer cancel()
		return nil, errors.Join(err, d.remove(ctx, made.ID))
	}
	return in, nil
}

// describe turns a revision into what the engine wants to know.
func (d *Driver) describe(spec sandbox.Spec) (*container.Config, *container.HostConfig) {
	rev := spec.Revision
	env := []string{
		"K_SERVICE=" + rev.Function.Name, "K_CONFIGURATION=" + rev.Function.Name, "K_REVISION=" + rev.Name,
		"AQUATOPE_DATA=" + insideShared,
	}
	for _, e := range rev.Function.Env {
		env = append(env, e.Name+"="+e.Value)
	}
	config := &container.Config{
		Image: rev.Function.Image, Entrypoint: rev.Function.Entrypoint, Cmd: rev.Function.Args, Env: append(env, "PORT="+insidePort),
		Labels: map[string]string{label: d.owner},
	}
	period, quota := cgroup.Period(int64(rev.Resources.CPU))
	host := &container.HostConfig{
		Binds:       []string{d.shared + ":" + insideShared},
		SecurityOpt: []string{"no-new-privileges"},
		Resources: container.Resources{
			CPUPeriod: period, CPUQuota: quota,
			Memory: int64(rev.Resources.Memory), MemorySwap: int64(rev.Resources.Memory), // the sum of both: no swap
			PidsLimit: &maxPids,
		},
	}
	if d.rootless {
		port := network.MustParsePort(insidePort + "/tcp")
		config.ExposedPorts = network.PortSet{port: struct{}{}}
		host.PortBindings = network.PortMap{port: {{HostIP: netip.MustParseAddr("127.0.0.1")}}}
	}
	return config, host
}

func (in *instance) start(ctx context.Context, spec sandbox.Spec) error {
	api := in.driver.api
	if _, err := api.ContainerStart(ctx, in.id, client.ContainerStartOptions{}); err != nil {
		return fmt.Errorf("starting a container of %s: %w", spec.Revision.Function.Image, err)
	}
	got, err := api.ContainerInspect(ctx, in.id, client.ContainerInspectOptions{})
	if err != nil {
		return fmt.Errorf("inspecting a container: %w", err)
	}
	if in.addr, err = address(got.Container); err != nil {
		return err
	}
	// What cannot be measured is reported as not measured.
	in.pid = got.Container.State.Pid
	if in.pid > 0 {
		if m, err := cgroup.Attach(in.pid); err != nil {
			in.driver.log.Warn("a container cannot be measured", "instance", spec.Instance, "error", err)
		} else {
			in.Meter = m
		}
	}
	log := in.driver.log.With("function", spec.Revision.Function.Name, "instance", spec.Instance)
	background, stop := context.WithCancel(context.Background())
	in.stop = stop
	r, w := io.Pipe()
	in.out = sandbox.NewOutput(r, log)
	go in.follow(background, w)
	go in.wait(background)
	return nil
}

// address is where a container is reached from this machine.
func address(c container.InspectResponse) (string, error) {
	if c.NetworkSettings == nil {
		return "", errors.New("the container has no network")
	}
	for port, bindings := range c.NetworkSettings.Ports {
		if len(bindings) > 0 && strings.HasPrefix(port.String(), insidePort+"/") {
			return net.JoinHostPort("127.0.0.1", bindings[0].HostPort), nil
		}
	}
	for _, n := range c.NetworkSettings.Networks {
		if n != nil && n.IPAddress.IsValid() {
			return net.JoinHostPort(n.IPAddress.String(), insidePort), nil
		}
	}
	if c.State.Running {
		return "", errors.New("the container has no address")
	}
	return net.JoinHostPort("127.0.0.1", "1"), nil // it ended already, which wait reports
}

// follow copies the container's output until its end.
func (in *instance) follow(ctx context.Context, w *io.PipeWriter) {
	defer w.Close()
	logs, err := in.driver.api.ContainerLogs(ctx, in.id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Follow: true})
	if err != nil {
		return
	}
	defer logs.Close()
	_, _ = stdcopy.StdCopy(w, w, logs)
}

// wait notes how the container ended.
func (in *instance) wait(ctx context.Context) {
	defer close(in.done)
	res := in.driver.api.ContainerWait(ctx, in.id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case r := <-res.Result:
		in.exit = "exit status " + strconv.FormatInt(r.StatusCode, 10)
	case err := <-res.Error:
		in.exit = "lost: " + err.Error()
	}
	if got, err := in.driver.api.ContainerInspect(ctx, in.id, client.ContainerInspectOptions{}); err == nil && got.Container.State.OOMKilled {
		in.oom.Store(true)
	}
}
