package reading

// index finds features among those that have a row in the tables. Hashes spread
// evenly, so that few share their upper half.
type index struct {
	ids    []uint32 // ascending
	starts []uint32 // starts[h] is the first of ids whose upper half is at least h
}

func newIndex(ids []uint32) index {
	x := index{ids: ids, starts: make([]uint32, 1<<16+1)}
	for _, id := range ids {
		x.starts[id>>16+1]++
	}
	for h := range 1 << 16 {
		x.starts[h+1] += x.starts[h]
	}
	return x
}

// row gives the row of a feature.
func (x index) row(id uint32) (row int32, ok bool) {
	for i := x.starts[id>>16]; i < x.starts[id>>16+1]; i++ {
		if x.ids[i] == id {
			return int32(i), true
		}
	}
	return 0, false
}
