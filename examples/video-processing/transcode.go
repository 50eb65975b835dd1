package main

import (
	"context"
	"image"
	"runtime/debug"

	"github.com/aquatope/aquatope/examples/fn"
	"github.com/aquatope/aquatope/examples/parallel"
	"github.com/aquatope/aquatope/examples/picture"
)

// transcode removes noise, halves the size and codes anew. The filter looks at
// each pixel over time, so a whole chunk is held decoded: the function that
// needs most memory, and that gains most from a second processor.
func transcode(_ context.Context, in chunk) (chunk, error) {
	defer debug.FreeOSMemory() // what a chunk needed is not held while waiting for the next
	coded, err := readFrames(in)
	if err != nil {
		return chunk{}, err
	}
	images, err := decodeAll(coded)
	if err != nil {
		return chunk{}, err
	}
	if len(images) == 0 {
		return chunk{}, fn.Invalidf("chunk %q holds no frame", in.File)
	}
	size := images[0].Bounds().Size()
	frames := make([]*image.RGBA, len(images))
	parallel.For(len(images), func(i int) {
		frames[i] = picture.RGBA(images[i])
	})
	smooth := make([]*image.RGBA, len(frames))
	parallel.For(len(frames), func(i int) {
		before, after := frames[max(i-1, 0)], frames[min(i+1, len(frames)-1)]
		smooth[i] = median(before, frames[i], after)
	})
	small := make([]*image.RGBA, len(frames))
	parallel.For(len(frames), func(i int) {
		small[i] = picture.Resize(smooth[i], size.X/2, size.Y/2)
	})
	out, err := encodeAll(small, 70)
	if err != nil {
		return chunk{}, err
	}
	return writeFrames(in, "-small", out)
}

// median returns the middle of three pictures, pixel by pixel: noise goes,
// edges stay, and a pixel that changes for good changes one frame late at most.
func median(a, b, c *image.RGBA) *image.RGBA {
	out := image.NewRGBA(b.Bounds())
	pa, pb, pc := a.Pix, b.Pix, c.Pix
	for i := range out.Pix {
		x, y, z := pa[i], pb[i], pc[i]
		out.Pix[i] = max(min(x, y), min(max(x, y), z))
	}
	return out
}
