package store

import (
	"context"

	"doorstep"
)

// TendWishIndex makes one pass of the index's keeper.
func (db *DB) TendWishIndex(ctx context.Context) (built bool, err error) {
	return db.tendWishIndex(ctx)
}

// BuildWishIndex makes a new edition.
func (db *DB) BuildWishIndex(ctx context.Context) error { return db.buildWishIndex(ctx) }

// WishIndexAnswers tells whether the index has heard of every change.
func (db *DB) WishIndexAnswers(ctx context.Context) (bool, error) {
	_, _, heard, ok := db.wishes.guess(nil)
	newest, err := db.newestWishChange(ctx)
	return ok && heard == newest, err
}

// WishEdition is the building of the index that answers; nil: none.
func (db *DB) WishEdition() *wishEdition { return db.wishes.answering.Load() }

// HearWish, ForgetWishes and MayHaveWishes are the index's own.
func (db *DB) HearWish(no int64, c doorstep.ConsumerID) { db.wishes.hear(no, c) }
func (db *DB) ForgetWishes()                            { db.wishes.forget() }
func (db *DB) MayHaveWishes(c doorstep.ConsumerID) bool { return db.wishes.answering.Load().mayHave(c) }

// Bloom is the filter under the index.
type Bloom struct{ *bloom }

// NewBloom makes one for so many consumers.
func NewBloom(consumers int) Bloom { return Bloom{newBloom(consumers)} }

// Add and MayHave are add and mayHave.
func (f Bloom) Add(c doorstep.ConsumerID)          { f.add(c) }
func (f Bloom) MayHave(c doorstep.ConsumerID) bool { return f.mayHave(c) }

// Bytes is what it takes in memory.
func (f Bloom) Bytes() int { return len(f.blocks) * bloomBlockBytes }

// LoadWishIndex takes up what the last stop kept.
func (db *DB) LoadWishIndex(ctx context.Context) error { return db.loadWishIndex(ctx) }

// WishFile is where a stop keeps the index of the SQLite file at path.
func WishFile(path string) string { return path + wishFileSuffix }

// IsWishFile says whether text is what a stop keeps.
func IsWishFile(text []byte) bool {
	_, ok := decodeWishFile(text)
	return ok
}
