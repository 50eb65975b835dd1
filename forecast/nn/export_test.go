package nn

// The products and the switch between kernels, for tests.
var (
	MulAdd = mul
	MulTN  = mulTN
	MulNT  = mulNT
)
