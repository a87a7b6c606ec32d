package reading

import (
	"math"
	"math/rand/v2"
	"sync"
)

// Training says how networks are fitted. The zero value of a field takes the
// default, with which the shipped weights were made.
type Training struct {
	Epochs   int                      // passes over the rows
	Networks int                      // that are averaged
	Progress func(network, epoch int) // called after each pass, never twice at once; may be nil
}

func (t Training) withDefaults() Training {
	if t.Epochs == 0 {
		t.Epochs = 12
	}
	if t.Networks == 0 {
		t.Networks = 3
	}
	return t
}

// How networks are fitted; found by leaving authors out.
const (
	leastRows   = 5    // in which a feature must occur
	batchSize   = 32   // samples to a step
	fullRate    = 2e-3 // of AdamW; rises for warmUp steps, then falls to 0
	warmUp      = 100
	weightDecay = 1e-2
	joinedShare = 0.2 // of samples that are two texts in one
)

// seed fixes all chance in training: equal rows give equal weights.
const seed = 20250101

// Train fits a reader to rows. The same rows give the same reader on every run
// and every processor.
func Train(rows []Row, t Training) *Reader {
	t = t.withDefaults()
	all, ids := samples(rows)
	m := newModel(Digest(rows), ids)
	m.networks = make([]*network, t.Networks)
	var fitted sync.WaitGroup
	var told sync.Mutex
	for k := range m.networks {
		fitted.Go(func() {
			f := newFitting(len(ids), rand.New(rand.NewPCG(seed, uint64(k+1))))
			f.fit(all, t.Epochs, func(epoch int) {
				if t.Progress != nil {
					told.Lock()
					defer told.Unlock()
					t.Progress(k+1, epoch)
				}
			})
			m.networks[k] = f.quantised()
		})
	}
	fitted.Wait()
	m.prune()
	return newReader(m)
}

// quantised rounds the table to steps in either direction, each row by its own
// scale.
func (f *fitting) quantised() *network {
	rows := len(f.table) / embedded
	n := &network{weights: f.weights, table: make([]byte, rows*packed), scale: make([]float32, rows)}
	for row := range rows {
		from := f.table[row*embedded:][:embedded]
		var top float32
		for _, v := range from {
			top = max(top, v, -v)
		}
		if top == 0 {
			continue
		}
		n.scale[row] = top / steps
		var numbers [embedded]int8
		for j, v := range from {
			numbers[j] = int8(math.Round(float64(v / n.scale[row])))
		}
		pack(n.row(row), &numbers)
	}
	return n
}
