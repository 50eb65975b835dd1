package main

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"net/http"
	"os"
	"path/filepath"

	"github.com/aquatope/aquatope/examples/fn"
	"github.com/aquatope/aquatope/examples/nn"
	"github.com/aquatope/aquatope/examples/picture"
)

// lookEvery is the distance in frames between those that are searched.
const lookEvery = 4

type faceCounts struct {
	Index int   `json:"index"`
	Faces []int `json:"faces"` // in every lookEvery-th frame
}

// startFaces loads the network that prepare trained. Its convolutions are
// spread over the processors; decoding is not.
func startFaces() (http.Handler, error) {
	f, err := os.Open(filepath.Join("bin", "face.model"))
	if err != nil {
		return nil, fmt.Errorf("%w (`make examples` trains the model)", err)
	}
	defer f.Close()
	net, err := nn.Load(f)
	if err != nil {
		return nil, err
	}
	return fn.JSON(func(_ context.Context, in chunk) (faceCounts, error) {
		frames, err := readFrames(in)
		if err != nil {
			return faceCounts{}, err
		}
		out := faceCounts{Index: in.Index, Faces: []int{}}
		for i := 0; i < len(frames); i += lookEvery {
			img, err := jpeg.Decode(bytes.NewReader(frames[i]))
			if err != nil {
				return faceCounts{}, fn.Invalidf("frame %d: %v", i, err)
			}
			out.Faces = append(out.Faces, len(net.Find(picture.ToGray(img), largestZoom, smallestZoom)))
		}
		return out, nil
	}), nil
}
