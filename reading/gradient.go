package reading

// backward is the working memory of one run backwards.
type backward struct {
	turned                                            *weights // the matrices, transposed
	dx, dh1, dh2, dheads, dpooled, dsum, dctx, dmean1 []float32
}

// turn transposes the matrices of w for the steps that follow.
func (b *backward) turn(w *weights) {
	if b.turned == nil {
		b.turned = newWeights()
	}
	transpose(b.turned.conv1, w.conv1, reach1*embedded, hidden)
	transpose(b.turned.conv2, w.conv2, reach2*hidden, hidden)
	transpose(b.turned.context, w.context, hidden, hidden)
	transpose(b.turned.heads, w.heads, hidden, columns)
	transpose(b.turned.sum1, w.sum1, 2*hidden, summary)
	transpose(b.turned.sum2, w.sum2, summary, outputs)
}

func transpose(to, from []float32, rows, columns int) {
	for i := range rows {
		for j := range columns {
			to[j*rows+i] = from[i*columns+j]
		}
	}
}

// run adds to g the gradient of the loss, given that by the logits, and leaves
// that by p.x in b.dx.
func (b *backward) run(p *pass, d *dropout, dlogits []float32, g *weights) {
	n := p.n
	t := b.turned
	b.dx = grow(b.dx, (n+reach1-1)*embedded)
	b.dh1 = grow(b.dh1, (n+reach2-1)*hidden)
	b.dh2 = grow(b.dh2, n*hidden)
	b.dheads = grow(b.dheads, n*columns)
	b.dpooled = grow(b.dpooled, 2*hidden)
	b.dsum = grow(b.dsum, summary)
	b.dctx = grow(b.dctx, hidden)
	b.dmean1 = grow(b.dmean1, hidden)

	// heads
	for o := range outputs {
		dl := dlogits[o]
		g.headBias[o] += dl
		var said float32
		for i := range n {
			said += float32(p.share[i*outputs+o] * p.heads[i*columns+outputs+o])
		}
		for i := range n {
			s := p.share[i*outputs+o]
			b.dheads[i*columns+outputs+o] = float32(dl * s)
			b.dheads[i*columns+o] = float32(float32(dl*s) * (p.heads[i*columns+outputs+o] - said))
		}
	}
	// summary
	for k := range summary {
		row := g.sum2[k*outputs:][:outputs]
		x := p.sum[k]
		for o, dl := range dlogits {
			row[o] += float32(x * dl)
		}
	}
	addRow(b.dsum, dlogits, t.sum2)
	for k := range summary {
		if p.sum[k] <= 0 {
			b.dsum[k] = 0
		} else {
			b.dsum[k] *= d.summary[k]
		}
		g.sumBias[k] += b.dsum[k]
	}
	for k, x := range p.pooled {
		if x == 0 {
			continue
		}
		row := g.sum1[k*summary:][:summary]
		for o, v := range b.dsum {
			row[o] += float32(x * v)
		}
	}
	addRow(b.dpooled, b.dsum, t.sum1)
	scale(b.dpooled, d.pooled)
	// second layer
	inverse := 1 / float32(n)
	for i := range n {
		dh := b.dh2[i*hidden:][:hidden]
		for j := range dh {
			dh[j] = float32(b.dpooled[j] * inverse)
			if p.maxAt[j] == int32(i) {
				dh[j] += b.dpooled[hidden+j]
			}
		}
	}
	(&product{rows: n, columns: hidden, n: columns, a: b.dheads, nextA: columns, strideA: 1,
		b: t.heads, strideB: hidden, nextTo: hidden}).add(b.dh2)
	(&product{rows: hidden, columns: columns, n: n, a: p.h2, nextA: 1, strideA: hidden,
		b: b.dheads, strideB: columns, nextTo: columns}).add(g.heads)
	for i := range n {
		dh := b.dh2[i*hidden:][:hidden]
		below := b.dh1[(i+reach2/2)*hidden:][:hidden]
		h2, h1 := p.h2[i*hidden:][:hidden], p.rowH1(i)
		for j, v := range dh {
			below[j] += v
			if h2[j] > h1[j] {
				dh[j] = float32(v * d.second[i*hidden+j])
			} else {
				dh[j] = 0
			}
			b.dctx[j] += dh[j]
		}
	}
	(&product{rows: reach2 * hidden, columns: hidden, n: n, a: p.h1, nextA: 1, strideA: hidden,
		b: b.dh2, strideB: hidden, nextTo: hidden}).add(g.conv2)
	spread(b.dh1, b.dh2, t.conv2, n, reach2, hidden, hidden)
	// context
	for j, v := range b.dctx {
		g.bias2[j] += v
	}
	for k, x := range p.mean1 {
		row := g.context[k*hidden:][:hidden]
		for j, v := range b.dctx {
			row[j] += float32(x * v)
		}
	}
	addRow(b.dmean1, b.dctx, t.context)
	// first layer
	for i := range n {
		dh := b.dh1[(i+reach2/2)*hidden:][:hidden]
		h := p.rowH1(i)
		for j := range dh {
			if h[j] > 0 {
				dh[j] = float32((dh[j] + float32(b.dmean1[j]*inverse)) * d.first[i*hidden+j])
			} else {
				dh[j] = 0
			}
			g.bias1[j] += dh[j]
		}
	}
	dh1 := b.dh1[reach2/2*hidden:]
	(&product{rows: reach1 * embedded, columns: hidden, n: n, a: p.x, nextA: 1, strideA: embedded,
		b: dh1, strideB: hidden, nextTo: hidden}).add(g.conv1)
	spread(b.dx, dh1, t.conv1, n, reach1, embedded, hidden)
}

// spread gives the gradient of n tokens back to the windows from which they were
// made. Windows that overlap are not added at once.
func spread(to, from, turned []float32, n, reach, width, outs int) {
	for first := range min(reach, n) {
		(&product{rows: (n - first + reach - 1) / reach, columns: reach * width, n: outs, a: from[first*outs:], nextA: reach * outs, strideA: 1,
			b: turned, strideB: reach * width, nextTo: reach * width}).add(to[first*width:])
	}
}
