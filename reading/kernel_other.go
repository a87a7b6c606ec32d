//go:build !amd64

package reading

func (p *product) add(to []float32) { p.addPlain(to, 0, p.rows, 0) }
