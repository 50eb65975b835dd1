package main

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"

	"github.com/aquatope/aquatope/examples/fn"
	"github.com/aquatope/aquatope/examples/picture"
)

// mark is what is blended into the lower right corner, a row to a line.
var mark = []string{
	"  ##   ##  #  #  ##  ",
	" #  # #  # #  # #  # ",
	" #### #  # #  # #### ",
	" #  # # ## #  # #  # ",
	" #  #  ###  ##  #  # ",
}

// watermark blends the mark into every frame, one after the other on one
// processor and with one frame in memory.
func watermark(_ context.Context, in chunk) (chunk, error) {
	frames, err := readFrames(in)
	if err != nil {
		return chunk{}, err
	}
	for i, frame := range frames {
		img, err := jpeg.Decode(bytes.NewReader(frame))
		if err != nil {
			return chunk{}, fn.Invalidf("frame %d: %v", i, err)
		}
		marked := picture.RGBA(img)
		blend(marked)
		if frames[i], err = picture.JPEG(marked, 75); err != nil {
			return chunk{}, err
		}
	}
	return writeFrames(in, "-marked", frames)
}

// blend brightens the pixels under the mark by half of what is left to white.
func blend(img *image.RGBA) {
	const zoom = 2
	size := img.Bounds().Size()
	left, top := size.X-zoom*(len(mark[0])+1), size.Y-zoom*(len(mark)+1)
	for y := range zoom * len(mark) {
		for x := range zoom * len(mark[0]) {
			at := image.Pt(left+x, top+y)
			if mark[y/zoom][x/zoom] != '#' || !at.In(img.Bounds()) {
				continue
			}
			pixel := img.Pix[img.PixOffset(at.X, at.Y):][:3]
			for c, v := range pixel {
				pixel[c] = v + (255-v)/2
			}
		}
	}
}
