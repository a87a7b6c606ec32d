package sink

// tail keeps the last items of an endless list, numbered from 1.
type tail[T any] struct {
	items []T // the newest last
	last  int // number of the newest item; grows for ever
	total int // items since the start or the last clear
}

// next is the number that the next item will have.
func (t *tail[T]) next() int { return t.last + 1 }

func (t *tail[T]) add(item T) {
	if len(t.items) == 2*keep { // moves once every keep items
		t.items = append(t.items[:0:0], t.items[keep:]...)
	}
	t.items = append(t.items, item)
	t.last++
	t.total++
}

// forgotten is the number of the newest item that is no longer kept.
func (t *tail[T]) forgotten() int { return t.last - min(len(t.items), keep) }

// after copies at most limit items whose numbers are above number, the oldest
// first.
func (t *tail[T]) after(number, limit int) []T {
	kept := t.items[max(0, len(t.items)-keep):]
	skip := min(max(0, number-t.forgotten()), len(kept))
	kept = kept[skip:]
	return append([]T{}, kept[:min(limit, len(kept))]...)
}

// clear forgets the items. Numbers go on, so that a reader's place stays valid.
func (t *tail[T]) clear() { t.items, t.total = nil, 0 }
