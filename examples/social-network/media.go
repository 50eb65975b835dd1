package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"image/jpeg"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/aquatope/aquatope/examples/fn"
	"github.com/aquatope/aquatope/examples/picture"
)

type uploads struct {
	Media []string `json:"media"` // names of files in bin/media
}

type thumbnails struct {
	Media []string `json:"media"` // names of files in the shared folder
}

// thumbnailWidth is in pixels; the height follows.
const thumbnailWidth = 320

// media makes a thumbnail of every picture of a post. Memory and time follow
// the largest and the sum of the pictures.
func media(_ context.Context, in uploads) (thumbnails, error) {
	out := thumbnails{Media: []string{}}
	if len(in.Media) == 0 {
		return out, nil
	}
	defer debug.FreeOSMemory() // pictures are not held while waiting for the next post
	dir, err := fn.DataDir("social")
	if err != nil {
		return out, err
	}
	for _, name := range in.Media {
		if filepath.Base(name) != name {
			return out, fn.Invalidf("media %q is not a file name", name)
		}
		data, err := os.ReadFile(filepath.Join("bin", "media", name))
		if err != nil {
			return out, fn.Invalidf("media: %v", err)
		}
		img, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			return out, fn.Invalidf("media %q: %v", name, err)
		}
		size := img.Bounds().Size()
		small, err := picture.JPEG(picture.Resize(img, thumbnailWidth, thumbnailWidth*size.Y/size.X), 80)
		if err != nil {
			return out, err
		}
		sum := sha256.Sum256(small)
		file := hex.EncodeToString(sum[:8]) + ".jpg"
		if err := fn.WriteFile(filepath.Join(dir, file), small); err != nil {
			return out, err
		}
		out.Media = append(out.Media, file)
	}
	return out, nil
}
