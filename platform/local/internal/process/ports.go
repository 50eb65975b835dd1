package process

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Ports are given out of a range below the one from which kernels choose for
// outgoing connections (32768 and up by default), and below Kubernetes' node
// ports (30000 and up).
const (
	firstPort = 20000
	lastPort  = 29999
)

// ports reserves one port per instance. Another program may still take a port
// between our look and the function's listen; Verify detects that.
type ports struct {
	mu   sync.Mutex
	next int
	used map[int]bool
}

// newPorts begins anywhere, so that platforms on one machine seldom try the
// same ports at the same time.
func newPorts() *ports {
	return &ports{next: firstPort + rand.IntN(lastPort-firstPort+1), used: map[int]bool{}}
}

func (p *ports) take() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range lastPort - firstPort + 1 {
		port := p.next
		if p.next++; p.next > lastPort {
			p.next = firstPort
		}
		if p.used[port] || !free(port) {
			continue
		}
		p.used[port] = true
		return port, nil
	}
	return 0, fmt.Errorf("no free port between %d and %d: stop other programs that listen there", firstPort, lastPort)
}

func (p *ports) release(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.used, port)
}

// free reports whether a function could listen on the port on all addresses.
func free(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}
