// Package picture holds the few image operations that several examples share:
// grey images for the networks, resizing as it should be done, JPEG in and out.
package picture

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
)

// Gray is a grey image with values from -0.5 (black) to 0.5 (white), row by row.
type Gray struct {
	Width, Height int
	Pix           []float32
}

// ToGray converts an image.
func ToGray(img image.Image) Gray {
	b := img.Bounds()
	g := Gray{Width: b.Dx(), Height: b.Dy(), Pix: make([]float32, b.Dx()*b.Dy())}
	if ycc, ok := img.(*image.YCbCr); ok { // a decoded JPEG holds its grey plane already
		for y := range g.Height {
			row := ycc.Y[ycc.YOffset(b.Min.X, b.Min.Y+y):][:g.Width]
			for x, v := range row {
				g.Pix[y*g.Width+x] = float32(v)/255 - 0.5
			}
		}
		return g
	}
	for y := range g.Height {
		for x := range g.Width {
			r, gr, bl, _ := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
			g.Pix[y*g.Width+x] = (0.299*float32(r)+0.587*float32(gr)+0.114*float32(bl))/0xffff - 0.5
		}
	}
	return g
}

// Bytes returns the image with one byte per pixel; FromBytes is the way back.
func (g Gray) Bytes() []byte {
	out := make([]byte, len(g.Pix))
	for i, v := range g.Pix {
		out[i] = byte(math.Round(255 * float64(min(1, max(0, v+0.5)))))
	}
	return out
}

// FromBytes reads a square grey image with one byte per pixel.
func FromBytes(pix []byte, side int) (Gray, bool) {
	if side*side != len(pix) {
		return Gray{}, false
	}
	g := Gray{Width: side, Height: side, Pix: make([]float32, len(pix))}
	for i, v := range pix {
		g.Pix[i] = float32(v)/255 - 0.5
	}
	return g, true
}

// Sample returns a square patch of size x size pixels that shows what lies
// within reach of (x, y), turned by angle (radians). Pixels are averaged over
// the area that they cover, and pixels outside the image repeat its edge.
func (g Gray) Sample(x, y, reach, angle float64, size int) []float32 {
	out := make([]float32, size*size)
	step := 2 * reach / float64(size)
	points := max(1, int(math.Ceil(step))) // per side and pixel
	sin, cos := math.Sincos(angle)
	for i := range out {
		var sum float32
		for p := range points * points {
			u := (float64(i%size)+(float64(p%points)+0.5)/float64(points))*step - reach
			v := (float64(i/size)+(float64(p/points)+0.5)/float64(points))*step - reach
			sum += g.at(x+u*cos-v*sin, y+u*sin+v*cos)
		}
		out[i] = sum / float32(points*points)
	}
	return out
}

// at interpolates between pixels, whose centres are at .5.
func (g Gray) at(x, y float64) float32 {
	x = min(max(x-0.5, 0), float64(g.Width-1))
	y = min(max(y-0.5, 0), float64(g.Height-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, g.Width-1), min(y0+1, g.Height-1)
	fx, fy := float32(x-float64(x0)), float32(y-float64(y0))
	upper := g.Pix[y0*g.Width+x0]*(1-fx) + g.Pix[y0*g.Width+x1]*fx
	lower := g.Pix[y1*g.Width+x0]*(1-fx) + g.Pix[y1*g.Width+x1]*fx
	return upper*(1-fy) + lower*fy
}

// Resize returns the image with another size.
func (g Gray) Resize(width, height int) Gray {
	return Gray{Width: width, Height: height, Pix: resizePlane(g.Pix, g.Width, g.Height, width, height)}
}

// JPEG encodes an image with the given quality, 1 to 100.
func JPEG(img image.Image, quality int) ([]byte, error) {
	var out bytes.Buffer
	err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality})
	return out.Bytes(), err
}
