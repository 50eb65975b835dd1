package main

import (
	"bufio"
	"fmt"
	"io"
)

// cpio writes the archive format of Linux' initramfs ("newc", see the kernel's
// documentation of its buffer format). The first error sticks.
type cpio struct {
	w   *bufio.Writer
	n   int // bytes written
	ino int
	err error
}

func newCPIO(w io.Writer) *cpio { return &cpio{w: bufio.NewWriter(w)} }

func (c *cpio) dir(name string)               { c.entry(name, 0o040755, 0, 0, nil) }
func (c *cpio) file(name string, data []byte) { c.entry(name, 0o100755, 0, 0, data) }

// device adds a character device.
func (c *cpio) device(name string, major, minor int) { c.entry(name, 0o020600, major, minor, nil) }

func (c *cpio) entry(name string, mode, major, minor int, data []byte) {
	c.ino++
	// inode, mode, uid, gid, links, mtime, size, device, special device, length of the name, checksum
	c.write(fmt.Appendf(nil, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		c.ino, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name)+1, 0))
	c.write([]byte(name + "\x00"))
	c.pad()
	c.write(data)
	c.pad()
}

// pad aligns to four bytes.
func (c *cpio) pad() { c.write(make([]byte, -c.n&3)) }

func (c *cpio) write(b []byte) {
	if c.err == nil {
		var n int
		n, c.err = c.w.Write(b)
		c.n += n
	}
}

func (c *cpio) close() error {
	c.entry("TRAILER!!!", 0, 0, 0, nil)
	if c.err != nil {
		return c.err
	}
	return c.w.Flush()
}
