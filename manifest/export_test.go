package manifest

// CheckExpr is what the reader does with an expression.
func CheckExpr(src string) error { return checkExpr(bare(src), exportScope) }
