package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"

	"github.com/aquatope/aquatope/examples/nn"
	"github.com/aquatope/aquatope/examples/picture"
)

// photo is one input that prepare generates.
type photo struct {
	name          string
	width, height int
	signs         int
}

// photos come in the sizes of a phone's preview, a phone and a camera.
var photos = []photo{
	{"preview-1.jpg", 800, 600, 2},
	{"preview-2.jpg", 800, 600, 5},
	{"phone-1.jpg", 1600, 1200, 3},
	{"phone-2.jpg", 1600, 1200, 6},
	{"camera-1.jpg", 2800, 2100, 4},
	{"camera-2.jpg", 2800, 2100, 8},
}

// scene returns what the photo shows.
func (p photo) scene() (scene, *rand.Rand) {
	random := rand.New(rand.NewPCG(7, uint64(p.width*100+p.signs)))
	return newScene(random, p.signs), random
}

// prepare writes the photos and the trained models into dir.
func prepare(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "photos"), 0o755); err != nil {
		return err
	}
	for _, p := range photos {
		s, random := p.scene()
		data, err := picture.JPEG(s.draw(random, p.width, p.height), 88)
		if err != nil {
			return fmt.Errorf("drawing %s: %w", p.name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, "photos", p.name), data, 0o644); err != nil {
			return err
		}
	}
	for name, net := range trainAll() {
		if err := save(net, filepath.Join(dir, name+".model")); err != nil {
			return fmt.Errorf("saving a model: %w", err)
		}
	}
	return nil
}

// trainAll trains the three networks at the same time.
func trainAll() map[string]*nn.Net {
	nets := map[string]*nn.Net{}
	var mu sync.Mutex // guards nets
	var wg sync.WaitGroup
	for _, name := range []string{"detect", "shape", "digit"} {
		wg.Go(func() {
			net := train(name)
			mu.Lock()
			defer mu.Unlock()
			nets[name] = net
		})
	}
	wg.Wait()
	return nets
}

func save(net *nn.Net, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(net.Save(f), f.Close())
}
