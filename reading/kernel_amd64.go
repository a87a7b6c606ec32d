package reading

import "golang.org/x/sys/cpu"

// The kernels multiply and add in the order of the plain loop and round after
// each step, so that their results have the same bits. n is at least 1.

//go:noescape
func product2x64(to *float32, nextTo int, a *float32, nextA, strideA int, b *float32, strideB, n int)

//go:noescape
func product2x32(to *float32, nextTo int, a *float32, nextA, strideA int, b *float32, strideB, n int)

//go:noescape
func product1x32(to *float32, a *float32, strideA int, b *float32, strideB, n int)

// describe64 adds n rows of 64 packed numbers of the table, each by its scale and by by.
//
//go:noescape
func describe64(to *float32, table *byte, scale *float32, rows *int32, n int, by float32)

var (
	wide    = cpu.X86.HasAVX512F
	vectors = cpu.X86.HasAVX
	widens  = cpu.X86.HasAVX2
)

// add adds p to to, as far as the vector registers of the processor can.
func (p *product) add(to []float32) {
	if !vectors || p.n == 0 {
		p.addPlain(to, 0, p.rows, 0)
		return
	}
	// what the kernels read and write without looking
	_ = to[(p.rows-1)*p.nextTo+p.columns-1]
	_ = p.a[(p.rows-1)*p.nextA+(p.n-1)*p.strideA]
	_ = p.b[(p.n-1)*p.strideB+p.columns-1]
	i, done := 0, p.columns&^31
	for ; i+2 <= p.rows; i += 2 {
		j := 0
		for ; wide && j+64 <= done; j += 64 {
			product2x64(&to[i*p.nextTo+j], p.nextTo, &p.a[i*p.nextA], p.nextA, p.strideA, &p.b[j], p.strideB, p.n)
		}
		for ; j < done; j += 32 {
			product2x32(&to[i*p.nextTo+j], p.nextTo, &p.a[i*p.nextA], p.nextA, p.strideA, &p.b[j], p.strideB, p.n)
		}
	}
	for ; i < p.rows; i++ {
		for j := 0; j < done; j += 32 {
			product1x32(&to[i*p.nextTo+j], &p.a[i*p.nextA], p.strideA, &p.b[j], p.strideB, p.n)
		}
	}
	if done < p.columns {
		p.addPlain(to, 0, p.rows, done)
	}
}

// addRows adds rows of the table, by their scales and by by, to x.
func (n *network) addRows(x *[embedded]float32, rows []int32, by float32) {
	if !widens || embedded != 64 || len(rows) == 0 {
		n.addRowsPlain(x, rows, by)
		return
	}
	// what the kernel reads without looking
	for _, row := range rows {
		_ = n.scale[row]
		_ = n.table[int(row)*packed+packed-1]
	}
	describe64(&x[0], &n.table[0], &n.scale[0], &rows[0], len(rows), by)
}
