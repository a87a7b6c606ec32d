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
	table []byte    // features x embedded, each an int8
	scale []float32 // one for each row of the table
	*weights
}

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
		for j, v := range (*[embedded]byte)(n.table[int(row)*embedded:]) {
			x[j] += float32(by * float32(int8(v)))
		}
	}
}
