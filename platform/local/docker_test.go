package local_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform/local"
	"github.com/aquatope/aquatope/platform/platformtest"
)

func TestDockerDriver(t *testing.T) {
	if testing.Short() {
		t.Skip("containers start slowly")
	}
	engine(t)
	image := buildImage(t, platformtest.Build(t))
	t.Run("killed server", func(t *testing.T) { testKilledServerOfContainers(t, image) })
	p, w := world(t, local.Config{Driver: local.DriverDocker})
	enforced := p.Enforced()
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	platformtest.Run(t, platformtest.Harness{
		New: func(t *testing.T, o platformtest.Options) platformtest.World {
			_, w := world(t, local.Config{
				Driver: local.DriverDocker, Capacity: o.Capacity, QueueLimit: o.QueueLimit, QueueDeadline: o.QueueDeadline, MaxResponse: o.MaxResponse,
			})
			return w
		},
		Function: func(name string) function.Function { return function.Function{Name: name, Image: image} },
		Limits:   enforced.CPU && enforced.Memory,
	})
}

// testKilledServerOfContainers kills a server of the docker driver, and expects
// that the next one removes what it left.
func testKilledServerOfContainers(t *testing.T, image string) {
	dir := t.TempDir()
	killServer(t, "AQUATOPE_TEST_HOST="+dir, "AQUATOPE_TEST_IMAGE="+image)
	before := containers(t)
	world(t, local.Config{Driver: local.DriverDocker, DataDir: dir})
	if after := containers(t); before == 0 || after != before-1 {
		t.Errorf("%d containers became %d, want one less", before, after)
	}
}

// containers counts those of all platforms.
func containers(t *testing.T) int {
	t.Helper()
	api, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	list, err := api.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", "dev.aquatope.platform")})
	if err != nil {
		t.Fatal(err)
	}
	return len(list.Items)
}

// engine makes sure that the environment names a Docker engine: the one that
// runs here, or else one of the test's own.
func engine(t *testing.T) {
	t.Helper()
	if reachable(t.Context()) == nil {
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("no Docker engine is reachable, and only root can start one")
	}
	if _, err := exec.LookPath("dockerd"); err != nil {
		t.Skip("no Docker engine is reachable or installed; Debian has it as docker.io")
	}
	// Not t.TempDir: its path is too long for a socket.
	dir, err := os.MkdirTemp("", "aqd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	var log bytes.Buffer
	socket := "unix://" + filepath.Join(dir, "docker.sock")
	cmd := exec.Command("dockerd", "--host", socket, "--data-root", filepath.Join(dir, "data"),
		"--exec-root", filepath.Join(dir, "exec"), "--pidfile", filepath.Join(dir, "pid"), "--log-level", "error")
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Skip("the Docker engine does not start: ", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	// Not t.Setenv, which does not go with cases that run in parallel.
	before := os.Getenv("DOCKER_HOST")
	_ = os.Setenv("DOCKER_HOST", socket)
	t.Cleanup(func() { _ = os.Setenv("DOCKER_HOST", before) })
	for begun := time.Now(); reachable(t.Context()) != nil; time.Sleep(100 * time.Millisecond) {
		select {
		case <-ended:
			t.Skipf("the Docker engine does not start here: %s", log.String())
		default:
		}
		if time.Since(begun) > patience {
			_ = cmd.Process.Kill()
			t.Fatalf("the Docker engine does not answer: %s", log.String())
		}
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(time.Minute):
			_ = cmd.Process.Kill()
			<-ended
		}
	})
}

func reachable(ctx context.Context) error {
	api, err := client.New(client.FromEnv)
	if err != nil {
		return err
	}
	defer api.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	_, err = api.Ping(ctx, client.PingOptions{})
	return err
}

// buildImage makes an image of nothing but one static binary.
func buildImage(t *testing.T, bin string) string {
	t.Helper()
	b, err := os.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	dockerfile := "FROM scratch\nCOPY fn /fn\nENTRYPOINT [\"/fn\"]\n"
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, f := range []struct {
		name string
		mode int64
		data []byte
	}{{"Dockerfile", 0o644, []byte(dockerfile)}, {"fn", 0o755, b}} {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	api, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	name := fmt.Sprintf("aquatope-test-%d", os.Getpid())
	res, err := api.ImageBuild(t.Context(), &archive, client.ImageBuildOptions{Tags: []string{name}, Remove: true, ForceRemove: true})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if out, err := io.ReadAll(res.Body); err != nil || bytes.Contains(out, []byte(`"error"`)) {
		t.Fatalf("building the image: %v %s", err, out)
	}
	t.Cleanup(func() {
		api, err := client.New(client.FromEnv)
		if err != nil {
			t.Error(err)
			return
		}
		defer api.Close()
		if _, err := api.ImageRemove(context.Background(), name, client.ImageRemoveOptions{Force: true, PruneChildren: true}); err != nil {
			t.Error(err)
		}
	})
	return name
}
