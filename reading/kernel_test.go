package reading

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheFastProductHasTheBitsOfThePlainOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []float32 { return randomNumbers(rng, n) }
	for range 200 {
		p := product{rows: 1 + rng.IntN(9), columns: 1 + rng.IntN(200), n: rng.IntN(40), strideA: 1 + rng.IntN(3)}
		p.nextA = rng.IntN(50)
		p.strideB, p.nextTo = p.columns+rng.IntN(5), p.columns+rng.IntN(5)
		p.a, p.b = random(p.rows*p.nextA+p.n*p.strideA+1), random(p.n*p.strideB)
		fast := random(p.rows * p.nextTo)
		plain := append([]float32(nil), fast...)
		p.add(fast)
		p.addPlain(plain, 0, p.rows, 0)
		require.Equal(t, plain, fast, "%d x %d x %d", p.rows, p.n, p.columns)
	}
}

func TestTheFastDescriptionHasTheBitsOfThePlainOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const features = 100
	n := &network{table: make([]byte, features*packed), scale: randomNumbers(rng, features)}
	for i := range n.table {
		n.table[i] = byte(rng.Uint32())
	}
	for range 200 {
		rows := make([]int32, rng.IntN(9))
		for i := range rows {
			rows[i] = rng.Int32N(features)
		}
		fast := [embedded]float32(randomNumbers(rng, embedded))
		plain, by := fast, float32(rng.NormFloat64())
		n.addRows(&fast, rows, by)
		n.addRowsPlain(&plain, rows, by)
		require.Equal(t, plain, fast, "%v", rows)
	}
}

func randomNumbers(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}
