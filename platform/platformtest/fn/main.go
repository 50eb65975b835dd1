// Command fn is the function that the conformance suite deploys: it does what
// the JSON of a request asks for, and what its environment asks for at start.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// request is the body of an invocation; what is not set is not done. The
// actions are done in the order of the fields.
type request struct {
	BurnMS  int    `json:"burnMs"`  // CPU time to use
	AllocMB int    `json:"allocMB"` // memory to touch
	SleepMS int    `json:"sleepMs"`
	Until   string `json:"until"`  // wait until the shared folder holds a file of this name
	Exit    *int   `json:"exit"`   // end the process with this status
	Drop    bool   `json:"drop"`   // close the connection without an answer
	Raw     string `json:"raw"`    // answer with these bytes, and close
	Status  int    `json:"status"` // of the answer
	Bytes   int    `json:"bytes"`  // size of the answer
	Echo    bool   `json:"echo"`   // answer with the request's body
	Env     bool   `json:"env"`    // answer with the environment, pid and headers
	Write   string `json:"write"`  // a file to write to; the answer says how it went
	Fork    string `json:"fork"`   // leave a child behind that sleeps for an hour, in this process "group" or a new "session"
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "sleep" {
		time.Sleep(time.Hour)
		return
	}
	switch os.Getenv("FN_START") {
	case "exit":
		fmt.Fprintln(os.Stderr, "cannot read the model: no such file")
		os.Exit(3)
	case "hang":
		fmt.Println("waiting for something that never comes")
		time.Sleep(time.Hour)
	case "alloc":
		touch(1 << 30)
	}
	l, err := net.Listen("tcp", ":"+os.Getenv("PORT"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	stop := make(chan os.Signal, 1)
	if os.Getenv("FN_STUBBORN") != "" {
		signal.Ignore(syscall.SIGTERM)
	} else {
		signal.Notify(stop, syscall.SIGTERM)
	}
	go func() {
		<-stop
		os.Exit(0)
	}()
	if after := os.Getenv("FN_DIE_AFTER"); after != "" {
		d, err := time.ParseDuration(after)
		if err != nil {
			panic(err)
		}
		time.AfterFunc(d, func() { os.Exit(4) })
	}
	_ = http.Serve(l, http.HandlerFunc(handle))
}

func handle(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var req request
	if len(body) > 0 {
		if err := json.Unmarshal(body, &req); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	burn(time.Duration(req.BurnMS) * time.Millisecond)
	if req.AllocMB > 0 {
		touch(req.AllocMB << 20)
	}
	time.Sleep(time.Duration(req.SleepMS) * time.Millisecond)
	if req.Until != "" {
		await(filepath.Join(os.Getenv("AQUATOPE_DATA"), req.Until))
	}
	if req.Exit != nil {
		fmt.Fprintln(os.Stderr, "asked to exit")
		os.Exit(*req.Exit)
	}
	if req.Fork != "" {
		if _, err := os.StartProcess("/proc/self/exe", []string{"fn", "sleep"}, &os.ProcAttr{
			Files: []*os.File{nil, os.Stdout, os.Stderr}, Sys: &syscall.SysProcAttr{Setsid: req.Fork == "session"},
		}); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	if req.Drop || req.Raw != "" {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = io.WriteString(c, req.Raw)
			_ = c.Close()
		}
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if req.Status != 0 {
		w.WriteHeader(req.Status)
	}
	switch {
	case req.Write != "":
		fmt.Fprintf(w, "%q\n", fmt.Sprint(os.WriteFile(req.Write, []byte("x"), 0o600)))
	case req.Echo:
		_, _ = w.Write(body)
	case req.Env:
		_ = json.NewEncoder(w).Encode(map[string]any{"env": os.Environ(), "pid": os.Getpid(), "header": r.Header, "args": os.Args})
	case req.Bytes > 0:
		_, _ = io.WriteString(w, strings.Repeat("x", req.Bytes))
	default:
		_, _ = io.WriteString(w, "{}")
	}
}

// await returns once there is a file at path. Another one beside it tells that it waits.
func await(path string) {
	_ = os.WriteFile(path+".awaited", nil, 0o600)
	for {
		if _, err := os.Stat(path); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// burn uses d of this thread's CPU time, however long that takes.
func burn(d time.Duration) {
	if d <= 0 {
		return
	}
	done := make(chan struct{})
	go func() { burnThread(d); close(done) }()
	<-done
}

// touch uses n bytes of memory.
func touch(n int) {
	b := make([]byte, n)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	runtime.KeepAlive(b)
}
