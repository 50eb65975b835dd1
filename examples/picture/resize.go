package picture

import (
	"image"
	"image/color"
	"math"

	"github.com/aquatope/aquatope/examples/parallel"
)

// Resize scales an image with a triangle filter in linear light: averaging
// gamma-coded values would darken fine detail. The whole picture is held as
// three planes of floats, 12 bytes per pixel, which is what makes this the
// hungriest step of a pipeline that starts with photos.
func Resize(img image.Image, width, height int) *image.RGBA {
	b := img.Bounds()
	planes := linear(img)
	var small [3][]float32
	for i, plane := range planes {
		small[i] = resizePlane(plane, b.Dx(), b.Dy(), width, height)
	}
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		out.Pix[4*i] = encode(small[0][i])
		out.Pix[4*i+1] = encode(small[1][i])
		out.Pix[4*i+2] = encode(small[2][i])
		out.Pix[4*i+3] = 255
	}
	return out
}

// linear splits an image into planes of linear light, 0 to 1.
func linear(img image.Image) [3][]float32 {
	b := img.Bounds()
	var planes [3][]float32
	for i := range planes {
		planes[i] = make([]float32, b.Dx()*b.Dy())
	}
	ycc, isYCC := img.(*image.YCbCr)
	parallel.For(b.Dy(), func(y int) {
		for x := range b.Dx() {
			var r, g, bl uint8
			if isYCC {
				c := ycc.YCbCrAt(b.Min.X+x, b.Min.Y+y)
				r, g, bl = color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
			} else {
				r16, g16, b16, _ := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
				r, g, bl = uint8(r16>>8), uint8(g16>>8), uint8(b16>>8)
			}
			i := y*b.Dx() + x
			planes[0][i], planes[1][i], planes[2][i] = decode[r], decode[g], decode[bl]
		}
	})
	return planes
}

// decode maps an sRGB byte to linear light (IEC 61966-2-1).
var decode = func() (table [256]float32) {
	for i := range table {
		v := float64(i) / 255
		if v <= 0.04045 {
			table[i] = float32(v / 12.92)
		} else {
			table[i] = float32(math.Pow((v+0.055)/1.055, 2.4))
		}
	}
	return table
}()

// encode is the inverse of decode.
func encode(v float32) byte {
	c := float64(min(1, max(0, v)))
	if c <= 0.0031308 {
		c *= 12.92
	} else {
		c = 1.055*math.Pow(c, 1/2.4) - 0.055
	}
	return byte(math.Round(255 * c))
}

// resizePlane filters a plane first along its rows, then along its columns.
func resizePlane(in []float32, width, height, newWidth, newHeight int) []float32 {
	across, down := filter(width, newWidth), filter(height, newHeight)
	narrow := make([]float32, newWidth*height)
	parallel.For(height, func(y int) {
		row := in[y*width:][:width]
		for x, tap := range across {
			var sum float32
			for i, w := range tap.weights {
				sum += w * row[tap.first+i]
			}
			narrow[y*newWidth+x] = sum
		}
	})
	out := make([]float32, newWidth*newHeight)
	parallel.For(newHeight, func(y int) {
		row := out[y*newWidth:][:newWidth]
		for i, w := range down[y].weights {
			for x, v := range narrow[(down[y].first+i)*newWidth:][:newWidth] {
				row[x] += w * v
			}
		}
	})
	return out
}

// tap says which source pixels make up one result, and how much each counts.
type tap struct {
	first   int
	weights []float32
}

// filter returns the taps of a triangle as wide as a result's pixel on either side.
func filter(from, to int) []tap {
	scale := float64(from) / float64(to)
	reach := max(1, scale)
	taps := make([]tap, to)
	for i := range taps {
		centre := (float64(i) + 0.5) * scale
		first := max(0, int(math.Ceil(centre-reach-0.5)))
		last := min(from-1, int(math.Floor(centre+reach-0.5)))
		var sum float32
		for j := first; j <= last; j++ {
			w := float32(1 - math.Abs(float64(j)+0.5-centre)/reach)
			taps[i].weights = append(taps[i].weights, w)
			sum += w
		}
		taps[i].first = first
		for j := range taps[i].weights {
			taps[i].weights[j] /= sum
		}
	}
	return taps
}
