package main

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/aquatope/aquatope/examples/fn"
	"github.com/aquatope/aquatope/examples/picture"
)

// The size at which the detector looks at a photo.
const (
	viewWidth  = 640
	viewHeight = 480
)

type photoRef struct {
	Photo string `json:"photo"` // name of a file in bin/photos
}

type resized struct {
	Photo string `json:"photo"`
	JPEG  []byte `json:"jpeg"`
}

// resize reads a photo and scales it down in linear light. Decoding runs on
// one processor, filtering on all; a photo of 6 megapixels needs 90 MiB.
func resize(_ context.Context, in photoRef) (resized, error) {
	defer debug.FreeOSMemory() // what a photo needed is not held while waiting for the next
	if filepath.Base(in.Photo) != in.Photo {
		return resized{}, fn.Invalidf("photo %q is not a file name", in.Photo)
	}
	data, err := os.ReadFile(filepath.Join("bin", "photos", in.Photo))
	if err != nil {
		return resized{}, fn.Invalidf("photo: %v", err)
	}
	full, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return resized{}, fn.Invalidf("photo %q: %v", in.Photo, err)
	}
	small, err := picture.JPEG(picture.Resize(full, viewWidth, viewHeight), 90)
	if err != nil {
		return resized{}, fmt.Errorf("encoding: %w", err)
	}
	return resized{Photo: in.Photo, JPEG: small}, nil
}
