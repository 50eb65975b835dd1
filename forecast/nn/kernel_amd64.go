//go:build !purego

package nn

// fast tells that the kernels in assembly can be used. Their results differ
// from the portable ones in the last bits.
var fast = hasAVX2()

func hasAVX2() bool

//go:noescape
func kernel4x16(k int, a *float32, ai, ak int, b *float32, bk int, c *float32, ci int)

//go:noescape
func tanh8(n int, x, y *float32, in, out, add float32)
