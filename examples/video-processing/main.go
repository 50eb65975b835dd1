// Command video-processing holds the functions of the video-processing
// example: a clip is cut into chunks; of each chunk, at the same time, the
// scene changes are found, the pictures are transcoded and watermarked, and
// faces are counted; the chunks are joined again.
//
// A clip is Motion JPEG: JPEG pictures end to end. Functions pass on the names
// of files in a shared folder, as they would pass on keys of an object store.
package main

import "github.com/aquatope/aquatope/examples/fn"

func main() {
	fn.Main(fn.Set{
		"split":     fn.Pure(split),
		"scenes":    fn.Pure(scenes),
		"transcode": fn.Pure(transcode),
		"watermark": fn.Pure(watermark),
		"faces":     startFaces,
		"join":      fn.Pure(join),
	}, prepare)
}
