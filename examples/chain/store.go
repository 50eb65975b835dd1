package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"

	"github.com/aquatope/aquatope/examples/fn"
)

type receipt struct {
	Log   string `json:"log"`
	File  string `json:"file"` // in the shared folder
	Bytes int    `json:"bytes"`
}

// store checks the signature and writes the document under the name of its
// contents, so that storing it twice is storing it once. Time goes into the disk.
func store(_ context.Context, in sealed) (receipt, error) {
	sum := sha256.Sum256(in.Gzip)
	if len(in.PublicKey) != ed25519.PublicKeySize || !ed25519.Verify(in.PublicKey, sum[:], in.Signature) {
		return receipt{}, fn.Invalidf("the signature does not fit the document")
	}
	dir, err := fn.DataDir("archive")
	if err != nil {
		return receipt{}, err
	}
	name := hex.EncodeToString(sum[:]) + ".html.gz"
	if err := fn.WriteFile(filepath.Join(dir, name), in.Gzip); err != nil {
		return receipt{}, err
	}
	return receipt{Log: in.Log, File: name, Bytes: len(in.Gzip)}, nil
}
