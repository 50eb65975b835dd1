//go:build !amd64 || purego

package nn

const fast = false

func kernel4x16(int, *float32, int, int, *float32, int, *float32, int) {
	panic("BUG: nn: no kernel on this machine")
}

func tanh8(int, *float32, *float32, float32, float32, float32) {
	panic("BUG: nn: no kernel on this machine")
}
