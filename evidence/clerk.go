package evidence

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"doorstep"
)

// ClerkStore is what a Clerk needs kept.
type ClerkStore interface {
	// OpenCase finds a complaint whose file the caller may open.
	OpenCase(ctx context.Context, a doorstep.Actor, complaintID string, now time.Time) (OpenCase, error)
	// AddAccesses keeps records of who opened what, one transaction an outlet.
	AddAccesses(ctx context.Context, facts []Fact) error
	// Seal moves records of an outlet to the end of its log: see SealStore.
	Seal(ctx context.Context, outlet doorstep.OutletNo, limit int) (n int, held bool, err error)
	// CaseRecords lists the records of the case's parcel that are among the first
	// size leaves of its outlet's log, in the log's order, at most limit.
	CaseRecords(ctx context.Context, c OpenCase, size int64, limit int) ([]CaseRecord, error)
}

// OpenCase is a case whose file may be opened, and where its records are.
type OpenCase struct {
	Case
	Company    doorstep.CompanyNo
	Log        Log
	OutletName string
	CourierID  string // the carrier's id of the case's courier
	Status     string
	Clocks     []Clock
}

// Clock is one deadline of the complaint.
type Clock struct {
	Name  string // "promise", "work" or "legal"
	DueAt time.Time
	State string
}

// CaseRecord is a record as the log and the store have it.
type CaseRecord struct {
	Index    int64
	Leaf     Leaf
	Opening  Opening
	ErasedBy string // the record of the erasure that took values; empty if none did
}

// DisclosedRecord is one as a reader gets it.
type DisclosedRecord struct {
	CaseRecord
	Disclosure Disclosure
}

// Dossier is an opened file with what it rests on.
type Dossier struct {
	OpenCase
	File       File
	Checkpoint Checkpoint
	Records    []DisclosedRecord // in the log's order
}

// Clerk hands out files. Whoever opens one is on record before the answer, in
// the log that proves the file.
type Clerk struct {
	Store  ClerkStore
	Ledger *Ledger
	// Feeds tells how a company's feeds of contact records were.
	Feeds func(ctx context.Context, company doorstep.CompanyNo, from, to time.Time) ([]Feed, error)
	Now   func() time.Time
	NewID doorstep.IDMaker
}

// MaxRecords is how many records a file has: no parcel's life takes as many.
const MaxRecords = 5000

// Open opens a case's file as of a checkpoint of its outlet's log: of that size,
// or of one made now if it is 0.
func (k *Clerk) Open(ctx context.Context, a doorstep.Actor, complaintID string, what Opened, size int64) (Dossier, error) {
	now := k.Now()
	c, err := k.Store.OpenCase(ctx, a, complaintID, now)
	if err != nil {
		return Dossier{}, err
	}
	access := AccessFact(k.NewID(c.Log.No), c.Log.No, a, what, c.ComplaintID, c.Waybill, nil, now)
	if err := k.Store.AddAccesses(ctx, []Fact{access}); err != nil {
		return Dossier{}, err
	}
	d := Dossier{OpenCase: c}
	if size == 0 {
		if err := k.seal(ctx, c.Log.No); err != nil {
			return d, err
		}
	}
	if d.Checkpoint, err = k.Ledger.checkpointAt(ctx, c.Log, "/size", size); err != nil {
		return d, err
	}
	return d, k.lay(ctx, a, &d)
}

// lay lays the file out for a reader.
func (k *Clerk) lay(ctx context.Context, a doorstep.Actor, d *Dossier) error {
	list, err := k.Store.CaseRecords(ctx, d.OpenCase, d.Checkpoint.Size, MaxRecords+1)
	if err != nil {
		return err
	}
	if len(list) > MaxRecords {
		return &doorstep.ConflictError{Code: "file_too_large", Detail: "the parcel has more records than a file can hold; list them with GET /v1/evidence"}
	}
	reader := Reader{Role: a.Role, CourierNo: d.CourierNo} // a courier opens no case but his own
	var records []Record
	for _, r := range list {
		if !reader.mayRead(d.Case, ReadRecord(r.Leaf, Disclosure{Opening: r.Opening})) {
			continue
		}
		shown := DisclosedRecord{r, reader.Disclose(r.Leaf, r.Opening)}
		d.Records = append(d.Records, shown)
		records = append(records, ReadRecord(r.Leaf, shown.Disclosure))
	}
	from, to := d.Window(records)
	feeds, err := k.Feeds(ctx, d.Company, from, to)
	if err != nil {
		return fmt.Errorf("feeds: %w", err)
	}
	d.File = Assemble(d.Case, records, feeds)
	return nil
}

// How long an answer waits for another node that is sealing the same log.
const (
	sealPatience = 3 * time.Second
	sealAgain    = 20 * time.Millisecond
)

// seal puts what is committed at the outlet into its log.
func (k *Clerk) seal(ctx context.Context, outlet doorstep.OutletNo) error {
	ctx, cancel := context.WithTimeout(ctx, sealPatience)
	defer cancel()
	for {
		n, held, err := k.Store.Seal(ctx, outlet, sealBatch)
		switch {
		case err != nil:
			return fmt.Errorf("outlet %d: %w", outlet, err)
		case n == 0 && !held:
			return nil
		case !held:
			continue
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: another node is sealing the log of outlet %d", doorstep.ErrUnavailable, outlet)
		case <-time.After(sealAgain):
		}
	}
}

// Proofs prove that each record is in the log as of the dossier's checkpoint.
func (k *Clerk) Proofs(ctx context.Context, d Dossier) ([]tlog.RecordProof, error) {
	hashes := k.Ledger.hashes(ctx, d.Log.No)
	list := make([]tlog.RecordProof, len(d.Records))
	for i, r := range d.Records {
		var err error
		if list[i], err = tlog.ProveRecord(d.Checkpoint.Size, r.Index, hashes); err != nil {
			return nil, fmt.Errorf("log %d: leaf %d: %w", d.Log.No, r.Index, err)
		}
	}
	return list, nil
}

// Pack is a dossier for a regulator: with what shows where its proofs are.
type Pack struct {
	Dossier
	Hashes []tlog.Hash // of the records' leaves
	Key    string      // that signs the log, as a verifier takes it
}

// Pack opens a case's file for a regulator.
func (k *Clerk) Pack(ctx context.Context, a doorstep.Actor, complaintID string) (Pack, error) {
	d, err := k.Open(ctx, a, complaintID, OpenedPack, 0)
	if err != nil {
		return Pack{}, err
	}
	p := Pack{Dossier: d, Key: k.Ledger.Keys.Public()[0]}
	for _, r := range d.Records {
		p.Hashes = append(p.Hashes, r.Leaf.Hash())
	}
	return p, nil
}
