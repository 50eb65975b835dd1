package main

import (
	"bytes"
	"context"
	"image/jpeg"
	"net/http"

	"github.com/aquatope/aquatope/examples/fn"
	"github.com/aquatope/aquatope/examples/nn"
	"github.com/aquatope/aquatope/examples/picture"
)

// found is a sign that was detected: where, how sure, and what it looks like.
type found struct {
	X          float64 `json:"x"`
	Y          float64 `json:"y"`
	Radius     float64 `json:"radius"`
	Confidence float32 `json:"confidence"`
	Crop       []byte  `json:"crop"` // cropSide x cropSide grey pixels, cropReach radii to each side
}

type detections struct {
	Photo string  `json:"photo"`
	Signs []found `json:"signs"`
}

const (
	cropSide  = 48
	cropReach = 1.6
)

func startDetector() (http.Handler, error) {
	net, err := loadModel("detect")
	if err != nil {
		return nil, err
	}
	return fn.JSON(func(_ context.Context, in resized) (detections, error) {
		img, err := jpeg.Decode(bytes.NewReader(in.JPEG))
		if err != nil {
			return detections{}, fn.Invalidf("jpeg: %v", err)
		}
		return detections{Photo: in.Photo, Signs: detect(net, picture.ToGray(img))}, nil
	}), nil
}

// detect finds the signs in an image and cuts them out. The time goes into
// convolutions, spread over the processors.
func detect(net *nn.Net, img picture.Gray) []found {
	signs := []found{}
	for _, box := range net.Find(img, 0.8, 0.28) {
		radius := fit["detect"] * box.Half
		crop := img.Sample(box.X, box.Y, cropReach*radius, 0, cropSide)
		signs = append(signs, found{
			X: box.X, Y: box.Y, Radius: radius, Confidence: box.P,
			Crop: picture.Gray{Width: cropSide, Height: cropSide, Pix: crop}.Bytes(),
		})
	}
	return signs
}
