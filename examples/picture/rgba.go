package picture

import (
	"image"
	"image/color"
	"image/draw"
)

// RGBA converts an image, 4 bytes per pixel.
func RGBA(img image.Image) *image.RGBA {
	out := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	ycc, ok := img.(*image.YCbCr)
	if !ok {
		draw.Draw(out, out.Bounds(), img, img.Bounds().Min, draw.Src)
		return out
	}
	for i := range out.Bounds().Dx() * out.Bounds().Dy() {
		c := ycc.YCbCrAt(ycc.Rect.Min.X+i%out.Bounds().Dx(), ycc.Rect.Min.Y+i/out.Bounds().Dx())
		out.Pix[4*i], out.Pix[4*i+1], out.Pix[4*i+2] = color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
		out.Pix[4*i+3] = 255
	}
	return out
}
