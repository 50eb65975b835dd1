package process

import (
	"crypto/sha256"
	"encoding/hex"
)

// groupName derives the name of the control group from the state folder, so
// that the next process on the same folder finds what this one left.
func groupName(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return "aquatope-" + hex.EncodeToString(sum[:6])
}
