package photos

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"doorstep"
)

// SealedBlobs is a blob store that seals, with one key of several.
type SealedBlobs interface {
	Blobs
	// IsCurrent says whether a blob was sealed with the key that seals now.
	IsCurrent(ctx context.Context, name string) (bool, error)
}

// Held are the blobs of a photo.
type Held struct {
	Outlet          doorstep.OutletNo `db:"outlet_no"`
	Hash            string            // the key by which the store knows the photo
	Original, Shown string
}

// ResealStore is what a Resealer needs kept.
type ResealStore interface {
	// Photos lists photos after one, in the store's order, at most limit.
	Photos(ctx context.Context, after Held, limit int) ([]Held, error)
	// BeginPhoto is as in Store.
	BeginPhoto(ctx context.Context, outlet doorstep.OutletNo, blobs []string, sweepAt time.Time) error
	// Renew has the photo hold other blobs, and the old ones swept. A photo that is
	// there no more, or holds others by now, is left alone, and false.
	Renew(ctx context.Context, old, renewed Held, now time.Time) (bool, error)
	// Unheld lists blobs that no photo holds and whose time has not come, after a
	// blob, at most limit.
	Unheld(ctx context.Context, after Blob, limit int) ([]Blob, error)
}

// Blob is the row of a blob.
type Blob struct {
	Outlet doorstep.OutletNo `db:"outlet_no"`
	ID     string
}

// Resealer seals photos anew. What a photo was sealed with stays until the new
// blob is there and the photo holds it, so that it may run beside servers and be
// broken off.
type Resealer struct {
	Store ResealStore
	Blobs SealedBlobs
	Now   func() time.Time
	NewID doorstep.IDMaker
}

// resealPage is how many photos are listed at once; one is in memory.
const resealPage = 100

// Reseal seals anew the photos that another key than the present one sealed, and
// says how many they were.
func (r *Resealer) Reseal(ctx context.Context) (n int, err error) {
	var after Held
	for {
		page, err := r.Store.Photos(ctx, after, resealPage)
		if err != nil {
			return n, err
		}
		for _, p := range page {
			done, err := r.reseal(ctx, p)
			if err != nil {
				return n, fmt.Errorf("reseal a photo of outlet %d: %w", p.Outlet, err)
			}
			if done {
				n++
			}
			after = p
		}
		if len(page) < resealPage {
			return n, nil
		}
	}
}

func (r *Resealer) reseal(ctx context.Context, p Held) (bool, error) {
	for _, name := range []string{p.Original, p.Shown} {
		current, err := r.Blobs.IsCurrent(ctx, name)
		if err != nil {
			return false, err
		}
		if !current {
			return r.renew(ctx, p)
		}
	}
	return false, nil
}

func (r *Resealer) renew(ctx context.Context, p Held) (bool, error) {
	now, renewed := r.Now(), p
	renewed.Original, renewed.Shown = r.NewID(p.Outlet), r.NewID(p.Outlet)
	if err := r.Store.BeginPhoto(ctx, p.Outlet, []string{renewed.Original, renewed.Shown}, now.Add(abandoned)); err != nil {
		return false, err
	}
	for from, to := range map[string]string{p.Original: renewed.Original, p.Shown: renewed.Shown} {
		body, err := r.Blobs.Get(ctx, from)
		if err != nil {
			return false, err
		}
		if err := r.Blobs.Put(ctx, to, body); err != nil {
			return false, err
		}
	}
	return r.Store.Renew(ctx, p, renewed, r.Now())
}

// Waiting counts blobs that an older key sealed and that no photo holds yet: an
// upload under way may come to hold them. Those that broke off go within a day.
func (r *Resealer) Waiting(ctx context.Context) (n int, err error) {
	var after Blob
	for {
		page, err := r.Store.Unheld(ctx, after, resealPage)
		if err != nil {
			return n, err
		}
		for _, b := range page {
			after = b
			current, err := r.Blobs.IsCurrent(ctx, b.ID)
			if errors.Is(err, fs.ErrNotExist) { // its bytes have not come
				continue
			}
			if err != nil {
				return n, err
			}
			if !current {
				n++
			}
		}
		if len(page) < resealPage {
			return n, nil
		}
	}
}
