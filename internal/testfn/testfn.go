// Package testfn is the functions that tests deploy: test binaries run it when
// they are started as an instance. Each behaviour is one way in which a real
// function answers, or fails to.
package testfn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// behaviours is what an instance can do, by the name given as first argument.
//
//	echo     answers with its input
//	who      answers with its process id
//	items    answers with a list of n numbers, n from its input (default 8)
//	record   tells the URL in RECORD which Idempotency-Key it got, then echoes
//	slow     waits 100 ms, or what its second argument says, then echoes
//	burn     computes for 20 ms, or what its second argument says, then echoes
//	hang     never answers
//	status   answers with the status in its second argument
//	garbage  answers with something that is not HTTP
//	invalid  answers with something that is not JSON but says that it is
//	crash    ends in the middle of an invocation
//	exit     ends with code 3 before it is ready
//	deaf     never listens
var behaviours = map[string]http.HandlerFunc{
	"echo": echo,
	"who": func(w http.ResponseWriter, _ *http.Request) {
		answer(w, []byte(strconv.Itoa(os.Getpid())))
	},
	"items":  items,
	"record": record,
	"slow": func(w http.ResponseWriter, r *http.Request) {
		ms, err := strconv.Atoi(os.Args[len(os.Args)-1])
		if err != nil {
			ms = 100
		}
		time.Sleep(time.Duration(ms) * time.Millisecond)
		echo(w, r)
	},
	"burn": burn,
	"hang": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	"status": func(w http.ResponseWriter, _ *http.Request) {
		code, err := strconv.Atoi(os.Args[len(os.Args)-1])
		if err != nil {
			code = http.StatusTeapot
		}
		http.Error(w, "as asked", code)
	},
	"garbage": func(w http.ResponseWriter, _ *http.Request) {
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_, _ = c.Write([]byte("this is not HTTP\r\n\r\n"))
			_ = c.Close()
		}
	},
	"invalid": func(w http.ResponseWriter, _ *http.Request) { answer(w, []byte(`{"cut": `)) },
	"crash":   func(http.ResponseWriter, *http.Request) { os.Exit(7) },
}

// Main runs the behaviour named by the first argument as an instance: it
// listens on $PORT until SIGTERM. It returns the exit code.
func Main(args []string) int {
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "testfn: name a behaviour")
		return 2
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	switch args[0] {
	case "exit":
		fmt.Fprintln(os.Stderr, "testfn: ending before being ready, as asked")
		return 3
	case "deaf":
		<-stop
		return 0
	}
	h, ok := behaviours[args[0]]
	if !ok {
		fmt.Fprintf(os.Stderr, "testfn: no behaviour is called %q\n", args[0])
		return 2
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "testfn:", err)
		return 1
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() {
		<-stop
		_ = s.Close()
	}()
	_ = s.Serve(l) // ends by Close
	return 0
}

func answer(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if len(body) == 0 {
		body = []byte("null")
	}
	answer(w, body)
}

// burn uses the CPU for a time, so that a quota makes it slower.
func burn(w http.ResponseWriter, r *http.Request) {
	ms, err := strconv.Atoi(os.Args[len(os.Args)-1])
	if err != nil {
		ms = 20
	}
	x := uint64(1)
	for until := cpuTime() + time.Duration(ms)*time.Millisecond; cpuTime() < until; {
		for range 100_000 { // so that most of it is computing
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
		}
	}
	w.Header().Set("Burnt", strconv.FormatUint(x, 16))
	echo(w, r)
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used) // cannot fail for one's own process
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func items(w http.ResponseWriter, r *http.Request) {
	in := struct{ N int }{8}
	_ = json.NewDecoder(r.Body).Decode(&in) // anything else means the default
	list := make([]int, in.N)
	for i := range list {
		list[i] = i
	}
	body, _ := json.Marshal(map[string]any{"items": list})
	answer(w, body)
}

func record(w http.ResponseWriter, r *http.Request) {
	resp, err := http.Post(os.Getenv("RECORD"), "text/plain", bytes.NewReader([]byte(r.Header.Get("Idempotency-Key"))))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = resp.Body.Close()
	echo(w, r)
}
