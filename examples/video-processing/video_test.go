package main

import (
	"bytes"
	"image/jpeg"
	"slices"
	"testing"

	"github.com/aquatope/aquatope/examples/picture"
)

// TestFunctions passes a generated clip through all functions in turn.
func TestFunctions(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("AQUATOPE_DATA", t.TempDir())
	if err := drawClips("bin"); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	cutUp, err := split(ctx, clipRef{Clip: "hall.mjpeg", Chunks: 3})
	if err != nil {
		t.Fatal(err)
	}
	all := parts{Clip: cutUp.Clip}
	for _, c := range cutUp.Chunks {
		cuts, err := scenes(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		small, err := transcode(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		marked, err := watermark(ctx, small)
		if err != nil {
			t.Fatal(err)
		}
		all.Parts = append(all.Parts, part{Chunk: marked, Source: c, Cuts: cuts.Cuts})
	}
	slices.Reverse(all.Parts) // parts may end in any order
	out, err := join(ctx, all)
	if err != nil {
		t.Fatal(err)
	}
	if out.Frames != 2*shotFrames {
		t.Errorf("%d frames come out of %d", out.Frames, 2*shotFrames)
	}
	if !slices.Equal(out.Cuts, []int{shotFrames}) {
		t.Errorf("scenes begin at %v, want [%d]", out.Cuts, shotFrames)
	}
	frames, err := readFrames(chunk{File: out.File})
	if err != nil {
		t.Fatal(err)
	}
	first, err := jpeg.Decode(bytes.NewReader(frames[0]))
	if err != nil {
		t.Fatal(err)
	}
	if size := first.Bounds().Size(); size.X != 240 || size.Y != 135 {
		t.Errorf("frames are %v", size)
	}
	if _, err := readFrames(cutUp.Chunks[0]); err == nil {
		t.Error("the chunks were not swept")
	}
}

func TestFacesAreFound(t *testing.T) {
	net := train()
	exact, frames := 0, 0
	for _, c := range clips {
		data, err := c.draw()
		if err != nil {
			t.Fatal(err)
		}
		for i, frame := range cut(data) {
			if i%lookEvery != 0 {
				continue
			}
			img, err := jpeg.Decode(bytes.NewReader(frame))
			if err != nil {
				t.Fatal(err)
			}
			frames++
			got, want := len(net.Find(picture.ToGray(img), largestZoom, smallestZoom)), c.faces[i/shotFrames]
			if got == want {
				exact++
			}
		}
	}
	if t.Logf("%d of %d frames counted rightly", exact, frames); exact < frames*3/4 {
		t.Errorf("faces are counted rightly in %d of %d frames", exact, frames)
	}
}

func TestSplitRefusesBadInput(t *testing.T) {
	for _, in := range []clipRef{{Clip: "../hall.mjpeg", Chunks: 1}, {Clip: "none.mjpeg", Chunks: 1}} {
		if _, err := split(t.Context(), in); err == nil {
			t.Errorf("split(%+v) succeeded", in)
		}
	}
}
