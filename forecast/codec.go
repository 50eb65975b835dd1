package forecast

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
)

// The reasons for which a saved model is refused. Either way it has to be
// trained anew.
var (
	ErrCorrupt      = errors.New("the saved model is damaged: train it anew")
	ErrIncompatible = errors.New("the saved model was made by another version: train it anew")
)

// A saved model is:
//
//	magic    8 bytes
//	version  4 bytes, big endian
//	kind     2 bytes of length, then the name of the model
//	payload  8 bytes of length, then a gob
//	SHA-256 of everything before, 32 bytes
const (
	codecMagic = "AQTPMODL"
	// maxModel is more than any model of this project needs, and keeps a
	// damaged length from asking for all memory.
	maxModel = 256 << 20
)

// Save writes the parameters of a model. kind names the model and version the
// layout of its parameters, a gob-encodable value.
func Save(w io.Writer, kind string, version uint32, parameters any) error {
	var payload bytes.Buffer
	if err := gob.NewEncoder(&payload).Encode(parameters); err != nil {
		return fmt.Errorf("encoding model %s: %w", kind, err)
	}
	var b bytes.Buffer
	b.WriteString(codecMagic)
	b.Write(binary.BigEndian.AppendUint32(nil, version))
	b.Write(binary.BigEndian.AppendUint16(nil, uint16(len(kind))))
	b.WriteString(kind)
	b.Write(binary.BigEndian.AppendUint64(nil, uint64(payload.Len())))
	b.Write(payload.Bytes())
	sum := sha256.Sum256(b.Bytes())
	b.Write(sum[:])
	if _, err := b.WriteTo(w); err != nil {
		return fmt.Errorf("writing model %s: %w", kind, err)
	}
	return nil
}

// Load reads what Save wrote for the same kind and version into parameters, a
// pointer. The error wraps ErrCorrupt or ErrIncompatible, or is the reader's.
func Load(r io.Reader, kind string, version uint32, parameters any) error {
	data, err := io.ReadAll(io.LimitReader(r, maxModel+1))
	if err != nil {
		return fmt.Errorf("reading model %s: %w", kind, err)
	}
	corrupt := func(what string) error { return fmt.Errorf("reading model %s: %s: %w", kind, what, ErrCorrupt) }
	const fixed = len(codecMagic) + 4 + 2 + 8 + sha256.Size
	switch {
	case len(data) > maxModel:
		return corrupt("more than 256 MiB")
	case len(data) < fixed || string(data[:len(codecMagic)]) != codecMagic:
		return corrupt("not a model file")
	}
	body, sum := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if sha256.Sum256(body) != [sha256.Size]byte(sum) {
		return corrupt("checksum differs")
	}
	body = body[len(codecMagic):]
	gotVersion := binary.BigEndian.Uint32(body)
	n := int(binary.BigEndian.Uint16(body[4:]))
	if len(body) < 6+n+8 {
		return corrupt("cut short")
	}
	gotKind := string(body[6 : 6+n])
	payload := body[6+n+8:]
	if gotKind != kind || gotVersion != version {
		return fmt.Errorf("reading model: it is %s version %d, wanted %s version %d: %w", gotKind, gotVersion, kind, version, ErrIncompatible)
	}
	if binary.BigEndian.Uint64(body[6+n:]) != uint64(len(payload)) {
		return corrupt("cut short")
	}
	if err := gob.NewDecoder(bytes.NewReader(payload)).Decode(parameters); err != nil {
		return corrupt(err.Error())
	}
	return nil
}
