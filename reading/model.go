package reading

// model is some networks of one shape that read the same features; their
// average says more than any of them.
type model struct {
	digest   [32]byte // of the rows it was fitted to
	index    index    // of hashed features
	networks []*network
}

// network describes features by the rows of its table and reads what they say
// where they stand.
type network struct {
	table []byte    // features x packed
	scale []float32 // one for each row of the table
	*weights
}

// A row of the table is embedded numbers from -7 to 7, two to a byte: number j in
// the low half of byte j, number packed+j in the high half. Many rows together
// describe a token, so coarse numbers do: 256 steps for a number gain nothing on
// tags and 0.004 on categories of authors left out, and the features for which
// there would then be no room are worth 0.014 and 0.011.
const (
	packed = embedded / 2
	steps  = 7
)

func pack(to []byte, numbers *[embedded]int8) {
	for j := range to[:packed] {
		to[j] = byte(numbers[j]&0xf | numbers[packed+j]<<4)
	}
}

func unpack(b byte) (low, high int8) { return int8(b<<4) >> 4, int8(b) >> 4 }

// row is the bytes of a row of the table.
func (n *network) row(row int) []byte { return n.table[row*packed:][:packed] }

func newModel(digest [32]byte, ids []uint32) *model {
	return &model{digest: digest, index: newIndex(ids)}
}

// run gives the log-odds of every output.
func (m *model) run(t *tokens, d *desk) []float32 {
	d.sample.fill(t, m.index)
	sum := make([]float32, outputs)
	for k, n := range m.networks {
		p := &d.passes[k]
		n.describe(&d.sample, p)
		n.forward(p, nil)
		for o, x := range p.logits {
			sum[o] += x / float32(len(m.networks))
		}
	}
	return sum
}

// describe lays the descriptions of the tokens of s into p.
func (n *network) describe(s *sample, p *pass) {
	p.begin(max(s.len(), 1)) // an empty text is one empty token
	s.each(func(token int, rows []int32, by float32) {
		n.addRows((*[embedded]float32)(p.rowX(token)), rows, by)
	})
}

// addRowsPlain is addRows in plain Go, with the same bits.
func (n *network) addRowsPlain(x *[embedded]float32, rows []int32, by float32) {
	for _, row := range rows {
		by := float32(by * n.scale[row])
		for j, b := range n.row(int(row)) {
			low, high := unpack(b)
			x[j] += float32(by * float32(low))
			x[packed+j] += float32(by * float32(high))
		}
	}
}
