package main

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strconv"

	"github.com/aquatope/aquatope/examples/fn"
)

type clipRef struct {
	Clip   string `json:"clip"`   // name of a file in bin/clips
	Chunks int    `json:"chunks"` // to cut it into
}

type chunks struct {
	Clip   string  `json:"clip"`
	Chunks []chunk `json:"chunks"`
}

// split cuts a clip into chunks of equal length. It moves bytes and decodes
// nothing: time goes into reading and writing.
func split(_ context.Context, in clipRef) (chunks, error) {
	if filepath.Base(in.Clip) != in.Clip {
		return chunks{}, fn.Invalidf("clip %q is not a file name", in.Clip)
	}
	data, err := os.ReadFile(filepath.Join("bin", "clips", in.Clip))
	if err != nil {
		return chunks{}, fn.Invalidf("clip: %v", err)
	}
	frames := cut(data)
	if in.Chunks < 1 || in.Chunks > len(frames) {
		return chunks{}, fn.Invalidf("chunks is %d; write 1 to %d, the number of frames", in.Chunks, len(frames))
	}
	out := chunks{Clip: in.Clip + "-" + rand.Text()[:8]}
	for i := range in.Chunks {
		from, to := i*len(frames)/in.Chunks, (i+1)*len(frames)/in.Chunks
		c, err := writeFrames(chunk{File: out.Clip, Index: i}, "-"+strconv.Itoa(i), frames[from:to])
		if err != nil {
			return chunks{}, err
		}
		out.Chunks = append(out.Chunks, c)
	}
	return out, nil
}
