package store

import (
	"math"
	"math/bits"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"

	"doorstep"
)

// bloom is a set of consumers that never misses one of them and now and then
// takes another for one: a Bloom filter of blocks, so that a look-up touches one
// cache line. It is safe for concurrent use without locks.
type bloom struct{ blocks []bloomBlock }

// bloomBlock is one cache line. A consumer sets one bit in each of its words.
type bloomBlock [8]atomic.Uint64

const bloomBlockBytes = 64

// Bounds of a filter. With 2 bytes a consumer it takes one stranger in 1,000 for
// a consumer, with 1 byte one in 30, with half a byte one in 3. It never has more
// than 64 MiB, which is 2 bytes for 33 M consumers; with more of them it errs more.
const (
	bloomBytesEach    = 2
	fewestBloomBlocks = 1 << 10
	mostBloomBlocks   = 1 << 20
)

// newBloom makes a filter for so many consumers, and for twice as many at worst.
func newBloom(consumers int) *bloom {
	blocks := min(max(consumers*bloomBytesEach/bloomBlockBytes, fewestBloomBlocks), mostBloomBlocks)
	return &bloom{make([]bloomBlock, blocks)}
}

// room is how many consumers the filter holds before a larger one would do
// better; there is none larger than the largest.
func (f *bloom) room() int {
	if len(f.blocks) == mostBloomBlocks {
		return math.MaxInt
	}
	return 2 * len(f.blocks) * bloomBlockBytes / bloomBytesEach
}

// place hashes without a seed, so that a filter can be kept in a file: consumers'
// ids are keyed hashes already, which nobody can choose.
//
// It is a consumer's block and, in the low 48 bits, six for each of its words.
func (f *bloom) place(c doorstep.ConsumerID) (*bloomBlock, uint64) {
	h := xxhash.Sum64String(string(c))
	i, _ := bits.Mul64(h, uint64(len(f.blocks)))
	// The high bits of h chose the block: mixed anew they say something more.
	return &f.blocks[i], h * 0x9e3779b97f4a7c15 >> 16
}

func (f *bloom) add(c doorstep.ConsumerID) {
	block, which := f.place(c)
	for i := range block {
		if bit := uint64(1) << (which & 63); block[i].Load()&bit == 0 {
			block[i].Or(bit)
		}
		which >>= 6
	}
}

// mayHave is true of every consumer that was added, and of few others.
func (f *bloom) mayHave(c doorstep.ConsumerID) bool {
	block, which := f.place(c)
	for i := range block {
		if block[i].Load()&(1<<(which&63)) == 0 {
			return false
		}
		which >>= 6
	}
	return true
}
