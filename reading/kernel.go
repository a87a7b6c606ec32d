package reading

// product is a product of two matrices: rows of n numbers of a, with n rows of
// b. Rows of a may overlap, and their numbers may lie strideA apart, so that
// windows over a text and transposed matrices need no copy.
type product struct {
	rows, columns, n int
	a                []float32
	nextA, strideA   int // from row to row, from number to number
	b                []float32
	strideB          int // from row to row
	nextTo           int // from row to row of the result
}

// addPlain adds to to in plain Go, from row first and column on. Products are
// rounded before they are added, so that no processor fuses them into another
// result.
func (p *product) addPlain(to []float32, first, rows, column int) {
	for i := first; i < rows; i++ {
		sum := to[i*p.nextTo+column:][:p.columns-column]
		for k := range p.n {
			x := p.a[i*p.nextA+k*p.strideA]
			for j, y := range p.b[k*p.strideB+column:][:len(sum)] {
				sum[j] += float32(x * y)
			}
		}
	}
}

// addRow adds the product of one row with a matrix of len(to) columns.
func addRow(to, a, b []float32) {
	p := product{rows: 1, columns: len(to), n: len(a), a: a, strideA: 1, b: b, strideB: len(to)}
	p.add(to)
}
