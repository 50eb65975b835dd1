package main

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aquatope/aquatope/examples/fn"
)

// part is everything that was made of one chunk.
type part struct {
	Chunk  chunk `json:"chunk"` // transcoded and watermarked
	Cuts   []int `json:"cuts"`
	Faces  []int `json:"faces"`
	Source chunk `json:"source"`
}

type parts struct {
	Clip  string `json:"clip"`
	Parts []part `json:"parts"`
}

type joined struct {
	File   string `json:"file"` // in the shared folder
	Frames int    `json:"frames"`
	Bytes  int    `json:"bytes"`
	Cuts   []int  `json:"cuts"` // frames of the clip that begin a new scene
	Faces  int    `json:"faces"`
}

// join puts the chunks together again in their order and removes what was made
// on the way.
func join(_ context.Context, in parts) (joined, error) {
	if filepath.Base(in.Clip) != in.Clip || in.Clip == "." {
		return joined{}, fn.Invalidf("clip %q is not a file name", in.Clip)
	}
	slices.SortFunc(in.Parts, func(a, b part) int { return cmp.Compare(a.Source.Index, b.Source.Index) })
	out := joined{Cuts: []int{}}
	var frames [][]byte
	for _, p := range in.Parts {
		for _, c := range p.Cuts {
			out.Cuts = append(out.Cuts, len(frames)+c)
		}
		for _, n := range p.Faces {
			out.Faces = max(out.Faces, n)
		}
		more, err := readFrames(p.Chunk)
		if err != nil {
			return joined{}, err
		}
		frames = append(frames, more...)
	}
	result, err := writeFrames(chunk{File: in.Clip}, ".mjpeg", frames)
	if err != nil {
		return joined{}, err
	}
	out.File, out.Frames = result.File, result.Frames
	for _, f := range frames {
		out.Bytes += len(f)
	}
	return out, sweep(in)
}

// sweep removes the chunks of a clip and whatever was made of them.
func sweep(in parts) error {
	dir, err := fn.DataDir("video")
	if err != nil {
		return err
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name(), in.Clip+"-") {
			if err := os.Remove(filepath.Join(dir, f.Name())); err != nil && !os.IsNotExist(err) {
				return err
			}
		}
	}
	return nil
}
