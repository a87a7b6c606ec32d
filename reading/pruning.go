package reading

import (
	"cmp"
	"slices"
)

// shippedBytes bounds what the weights of a feature take in all, so that the
// file, with some 0.3 MB that each network has of its own, stays below 20 MB.
const shippedBytes = 19_100_000

// prune drops the features that say least until the rest fits. A text in which
// one occurs is read as if its feature had never been seen.
func (m *model) prune() {
	most := shippedBytes / (4 + len(m.networks)*(4+packed))
	if len(m.index.ids) <= most {
		return
	}
	weight := make([]float64, len(m.index.ids)) // the sum of the squares of a feature's rows
	for _, n := range m.networks {
		for row := range weight {
			sum := 0
			for _, b := range n.row(row) {
				low, high := unpack(b)
				sum += int(low)*int(low) + int(high)*int(high)
			}
			weight[row] += float64(sum) * float64(n.scale[row]) * float64(n.scale[row])
		}
	}
	kept := make([]int, len(weight))
	for row := range kept {
		kept[row] = row
	}
	slices.SortStableFunc(kept, func(a, b int) int { return cmp.Compare(weight[b], weight[a]) })
	kept = kept[:most]
	slices.Sort(kept)
	ids := make([]uint32, most)
	for at, row := range kept {
		ids[at] = m.index.ids[row]
	}
	m.index = newIndex(ids)
	for _, n := range m.networks {
		scale, table := make([]float32, most), make([]byte, most*packed)
		for at, row := range kept {
			scale[at] = n.scale[row]
			copy(table[at*packed:], n.row(row))
		}
		n.scale, n.table = scale, table
	}
}
