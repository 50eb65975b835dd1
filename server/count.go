package server

import (
	"sync"
	"sync/atomic"
)

// counts is a number for each workflow.
type counts struct{ m sync.Map }

func (c *counts) of(workflow string) *atomic.Int64 {
	if n, ok := c.m.Load(workflow); ok {
		return n.(*atomic.Int64)
	}
	n, _ := c.m.LoadOrStore(workflow, new(atomic.Int64))
	return n.(*atomic.Int64)
}
