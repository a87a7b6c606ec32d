//go:build !amd64

package reading

func (p *product) add(to []float32) { p.addPlain(to, 0, p.rows, 0) }

func (n *network) addRows(x *[embedded]float32, rows []int32, by float32) {
	n.addRowsPlain(x, rows, by)
}
