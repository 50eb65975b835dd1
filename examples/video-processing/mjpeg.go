package main

import (
	"bytes"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"

	"github.com/aquatope/aquatope/examples/fn"
	"github.com/aquatope/aquatope/examples/parallel"
	"github.com/aquatope/aquatope/examples/picture"
)

// chunk names a part of a clip: what functions pass on instead of pictures.
type chunk struct {
	File   string `json:"file"` // in the shared folder
	Index  int    `json:"index"`
	Frames int    `json:"frames"`
}

// cut divides Motion JPEG into its pictures. Within a JPEG's data the end
// marker cannot occur, because 0xff is followed by a stuffed zero there.
func cut(clip []byte) [][]byte {
	var frames [][]byte
	end := []byte{0xff, 0xd9}
	for len(clip) > 0 {
		frame, rest, ok := bytes.Cut(clip, end)
		if !ok {
			break
		}
		frames = append(frames, clip[:len(frame)+len(end)])
		clip = rest
	}
	return frames
}

// readFrames returns the coded pictures of a chunk.
func readFrames(c chunk) ([][]byte, error) {
	dir, err := fn.DataDir("video")
	if err != nil {
		return nil, err
	}
	if filepath.Base(c.File) != c.File {
		return nil, fn.Invalidf("file %q is not a file name", c.File)
	}
	data, err := os.ReadFile(filepath.Join(dir, c.File))
	if err != nil {
		return nil, fn.Invalidf("chunk: %v", err)
	}
	return cut(data), nil
}

// writeFrames stores coded pictures under a name made from c's and a suffix.
func writeFrames(c chunk, suffix string, frames [][]byte) (chunk, error) {
	dir, err := fn.DataDir("video")
	if err != nil {
		return chunk{}, err
	}
	out := chunk{File: c.File + suffix, Index: c.Index, Frames: len(frames)}
	return out, fn.WriteFile(filepath.Join(dir, out.File), bytes.Join(frames, nil))
}

// decodeAll decodes pictures, as many at once as there are processors.
func decodeAll(frames [][]byte) ([]image.Image, error) {
	images, errs := make([]image.Image, len(frames)), make([]error, len(frames))
	parallel.For(len(frames), func(i int) {
		images[i], errs[i] = jpeg.Decode(bytes.NewReader(frames[i]))
	})
	for i, err := range errs {
		if err != nil {
			return nil, fn.Invalidf("frame %d: %v", i, err)
		}
	}
	return images, nil
}

// encodeAll is the inverse of decodeAll.
func encodeAll(images []*image.RGBA, quality int) ([][]byte, error) {
	frames, errs := make([][]byte, len(images)), make([]error, len(images))
	parallel.For(len(images), func(i int) {
		frames[i], errs[i] = picture.JPEG(images[i], quality)
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return frames, nil
}
