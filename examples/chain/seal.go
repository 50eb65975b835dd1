package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/sha256"

	"github.com/aquatope/aquatope/examples/parallel"
)

// sealed is a compressed document that nobody can change unnoticed.
type sealed struct {
	Log       string `json:"log"`
	Gzip      []byte `json:"gzip"`
	PublicKey []byte `json:"publicKey"`
	Signature []byte `json:"signature"` // Ed25519, over SHA-256 of Gzip
}

// blockSize is what is compressed at a time: small enough to go parallel,
// large enough that the result hardly grows.
const blockSize = 64 << 10

// seal compresses the document in blocks, which run on all processors, and
// signs it, which does not.
func seal(_ context.Context, in document) (sealed, error) {
	// A key for show: a real one comes from a secret, not from the source.
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte("aquatope"), ed25519.SeedSize/8))
	data, err := compress([]byte(in.HTML))
	if err != nil {
		return sealed{}, err
	}
	sum := sha256.Sum256(data)
	return sealed{
		Log: in.Log, Gzip: data,
		PublicKey: key.Public().(ed25519.PublicKey), Signature: ed25519.Sign(key, sum[:]),
	}, nil
}

// compress makes one gzip member of every block: end to end they are a valid
// gzip file (RFC 1952, section 2.2).
func compress(data []byte) ([]byte, error) {
	members := make([]bytes.Buffer, max(1, (len(data)+blockSize-1)/blockSize))
	errs := make([]error, len(members))
	parallel.For(len(members), func(i int) {
		w, err := gzip.NewWriterLevel(&members[i], gzip.BestCompression)
		if err == nil {
			_, _ = w.Write(data[i*blockSize : min(len(data), (i+1)*blockSize)])
			err = w.Close() // reports what Write met
		}
		errs[i] = err
	})
	var out []byte
	for i := range members {
		if errs[i] != nil {
			return nil, errs[i]
		}
		out = append(out, members[i].Bytes()...)
	}
	return out, nil
}
