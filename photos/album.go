// Package photos takes in the photos that couriers' phones have declared in
// records, and shows them to those who may read the records. The bytes are kept
// as they came, since they alone prove the declared hash; what people see is a
// copy that holds nothing but the picture.
package photos

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"doorstep"
	"doorstep/evidence"
)

// Blobs keeps bytes by name. Names are ids of ours; none is used twice.
type Blobs interface {
	// Put keeps body: once it returns, a power cut loses nothing.
	Put(ctx context.Context, name string, body []byte) error
	// Get reads a blob; fs.ErrNotExist if it is not there.
	Get(ctx context.Context, name string) ([]byte, error)
	// Delete removes what is there of a blob, half-written ones included. One
	// that is not there is no error.
	Delete(ctx context.Context, name string) error
}

// Claim is a photo that a courier has declared at one outlet.
type Claim struct {
	Outlet    doorstep.OutletNo
	CourierNo int64
	Waybill   doorstep.Waybill // of his first record that declares it
	ArrivedAt time.Time        // zero: its bytes have not come yet
}

// Photo is a photo whose bytes have come.
type Photo struct {
	Outlet    doorstep.OutletNo
	SHA256    string
	Original  string // the blob of the bytes as they came
	Shown     string // the blob of the copy that people see
	ArrivedAt time.Time
}

// Copy is the copy to show of a photo.
type Copy struct {
	Outlet  doorstep.OutletNo
	Waybill doorstep.Waybill // of a record that declares it
	Blob    string
}

// Store is what an Album needs kept. Records name a photo by its hash; the
// photo of an outlet belongs to all of the outlet's records that name it.
type Store interface {
	// Claims finds, at each outlet, what the courier has declared under a hash.
	Claims(ctx context.Context, a doorstep.Actor, sha256 string) ([]Claim, error)
	// BeginPhoto notes blobs that are about to be written. They are swept at the
	// given time, unless a photo has come to hold them.
	BeginPhoto(ctx context.Context, outlet doorstep.OutletNo, blobs []string, sweepAt time.Time) error
	// KeepPhoto keeps the photo, which then holds its blobs, and the fact. If the
	// blobs are to be swept at or before a time it gives ErrUnavailable, if the
	// photo is declared no longer ErrNotFound. One that is there already stays.
	KeepPhoto(ctx context.Context, p Photo, notSweptBy time.Time, fact evidence.Fact) error
	// Copy finds what to show for a hash to those who may read a record that
	// declares it.
	Copy(ctx context.Context, a doorstep.Actor, sha256 string) (Copy, error)
	// Original finds the bytes, as they came, of the photo that a record declares.
	// ErrNotFound: they have not come; ErrUnavailable: the photo was erased.
	Original(ctx context.Context, outlet doorstep.OutletNo, record string) (blob string, err error)
	// AddAccesses keeps records of who opened what.
	AddAccesses(ctx context.Context, facts []evidence.Fact) error

	// SweepOutlets lists outlets with blobs to be swept by now, at most limit.
	SweepOutlets(ctx context.Context, now time.Time, limit int) ([]doorstep.OutletNo, error)
	// BlobsToSweep lists those of an outlet, at most limit.
	BlobsToSweep(ctx context.Context, outlet doorstep.OutletNo, now time.Time, limit int) ([]string, error)
	// ForgetBlobs forgets blobs that are gone.
	ForgetBlobs(ctx context.Context, outlet doorstep.OutletNo, blobs []string) error
}

// Album takes photos in and shows them.
type Album struct {
	Store Store
	Blobs Blobs
	Now   func() time.Time
	NewID doorstep.IDMaker

	drawing chan struct{}
}

// drawnAtOnce is how many pictures are decoded at a time: each may take the
// memory that maxPixels names.
const drawnAtOnce = 2

// NewAlbum makes an album over a store and its blobs.
func NewAlbum(store Store, blobs Blobs, now func() time.Time, newID doorstep.IDMaker) *Album {
	return &Album{Store: store, Blobs: blobs, Now: now, NewID: newID, drawing: make(chan struct{}, drawnAtOnce)}
}

const (
	// abandoned is how old a blob is that no photo has come to hold, when it is
	// swept.
	abandoned = 24 * time.Hour
	// uploadTime is what a photo may take from its first byte in the blob store to
	// its row. The rest of abandoned is for clocks of nodes that differ.
	uploadTime = time.Hour
)

// Add takes in the bytes of a photo that the courier has declared, and says when
// they first came. Bytes of another hash, and what is no picture, are refused
// and not kept.
func (al *Album) Add(ctx context.Context, a doorstep.Actor, hash string, data []byte) (time.Time, error) {
	if err := checkHash(hash); err != nil {
		return time.Time{}, err
	}
	claims, err := al.Store.Claims(ctx, a, hash)
	if err != nil {
		return time.Time{}, err
	}
	if len(claims) == 0 {
		return time.Time{}, doorstep.NotFound("photo", hash)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != hash {
		return time.Time{}, &doorstep.InvalidError{Fields: []doorstep.FieldError{{
			Pointer: "/sha256", Code: "other_bytes", Detail: "is not the hash of the bytes that came",
		}}}
	}
	var first time.Time
	missing := make([]Claim, 0, len(claims))
	for _, c := range claims {
		if c.ArrivedAt.IsZero() {
			missing = append(missing, c)
		} else if first.IsZero() || c.ArrivedAt.Before(first) {
			first = c.ArrivedAt
		}
	}
	if len(missing) == 0 {
		return first, nil
	}
	picture, mediaType, err := al.draw(ctx, data)
	if err != nil {
		return time.Time{}, err
	}
	for _, c := range missing {
		at, err := al.keep(ctx, c, hash, mediaType, data, picture)
		if err != nil {
			return time.Time{}, err
		}
		if first.IsZero() {
			first = at
		}
	}
	return first, nil
}

func checkHash(hash string) error {
	raw, err := hex.DecodeString(hash)
	if err != nil || len(raw) != sha256.Size || hex.EncodeToString(raw) != hash {
		return &doorstep.InvalidError{Fields: []doorstep.FieldError{{
			Pointer: "/sha256", Code: "invalid_sha256", Detail: "must be 64 hexadecimal digits, small letters",
		}}}
	}
	return nil
}

// draw waits for its turn and makes the copy to show.
func (al *Album) draw(ctx context.Context, data []byte) (picture []byte, mediaType string, err error) {
	select {
	case al.drawing <- struct{}{}:
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
	defer func() { <-al.drawing }()
	return shown(data)
}

// keep writes the blobs, then the row that holds them. The note that they are
// about to come is there first: whatever breaks off is swept by it.
func (al *Album) keep(ctx context.Context, c Claim, hash, mediaType string, data, picture []byte) (time.Time, error) {
	begun := al.Now()
	p := Photo{Outlet: c.Outlet, SHA256: hash, Original: al.NewID(c.Outlet), Shown: al.NewID(c.Outlet)}
	sweepAt := begun.Add(abandoned)
	if err := al.Store.BeginPhoto(ctx, c.Outlet, []string{p.Original, p.Shown}, sweepAt); err != nil {
		return time.Time{}, err
	}
	if err := al.Blobs.Put(ctx, p.Original, data); err != nil {
		return time.Time{}, fmt.Errorf("%w: keep photo: %w", doorstep.ErrUnavailable, err)
	}
	if err := al.Blobs.Put(ctx, p.Shown, picture); err != nil {
		return time.Time{}, fmt.Errorf("%w: keep photo: %w", doorstep.ErrUnavailable, err)
	}
	p.ArrivedAt = al.Now()
	fact := evidence.Fact{
		ID: al.NewID(c.Outlet), Outlet: c.Outlet, Kind: evidence.PhotoArrival, Source: evidence.Server, CourierNo: c.CourierNo,
		Waybill: c.Waybill, OccurredAt: p.ArrivedAt, ReceivedAt: p.ArrivedAt,
		Fields: []evidence.Field{{Name: "sha256", Value: hash}, {Name: "bytes", Value: len(data)}, {Name: "media_type", Value: mediaType}},
	}
	return p.ArrivedAt, al.Store.KeepPhoto(ctx, p, p.ArrivedAt.Add(abandoned-uploadTime), fact)
}

// Picture is the copy to show of a photo, a JPEG, for those who may read a
// record that declares it. One that has not come or was erased is not there.
// Who looks is on record before the answer.
func (al *Album) Picture(ctx context.Context, a doorstep.Actor, hash string) ([]byte, error) {
	if err := checkHash(hash); err != nil {
		return nil, err
	}
	shown, err := al.Store.Copy(ctx, a, hash)
	if err != nil {
		return nil, err
	}
	access := evidence.AccessFact(al.NewID(shown.Outlet), shown.Outlet, a, evidence.OpenedPhoto, "", shown.Waybill, nil, al.Now())
	if err := al.Store.AddAccesses(ctx, []evidence.Fact{access}); err != nil {
		return nil, err
	}
	picture, err := al.Blobs.Get(ctx, shown.Blob)
	if err != nil {
		return nil, fmt.Errorf("%w: photo %s: %w", doorstep.ErrUnavailable, shown.Blob, err)
	}
	return picture, nil
}

// Original is the photo that a record declares, as it came: for whoever opens a
// case's bundle, which is on record already.
func (al *Album) Original(ctx context.Context, outlet doorstep.OutletNo, record string) ([]byte, error) {
	blob, err := al.Store.Original(ctx, outlet, record)
	if err != nil {
		return nil, err
	}
	data, err := al.Blobs.Get(ctx, blob)
	if err != nil {
		return nil, fmt.Errorf("%w: photo %s: %w", doorstep.ErrUnavailable, blob, err)
	}
	return data, nil
}
