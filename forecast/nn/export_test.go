package nn

// The products and the switch between kernels, for tests.
var (
	Mul   = mul
	MulTN = mulTN
	MulNT = mulNT
	Tanhs = tanhs
)
