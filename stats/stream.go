package stats

import (
	"hash/fnv"
	"math/rand/v2"
)

// Stream returns the random source called name of an experiment with the given
// seed. Streams of different names are independent, so that adding a component
// does not change what another draws; equal arguments give equal streams on
// every machine and in every version.
func Stream(seed uint64, name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}
