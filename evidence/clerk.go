package evidence

import (
	"context"
	"errors"
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
	// CaseRecords lists the records of a parcel that are among the first size leaves
	// of an outlet's log, in the log's order, at most limit.
	CaseRecords(ctx context.Context, outlet doorstep.OutletNo, w doorstep.Waybill, size int64, limit int) ([]CaseRecord, error)
}

// OpenCase is a case whose file may be opened, and where its records are.
type OpenCase struct {
	Case
	Company    doorstep.CompanyNo
	Log        Log
	Elsewhere  []Log // of other outlets that had the parcel
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

// Part is a log that holds records of a case, and the state as of which.
type Part struct {
	Log        Log
	Checkpoint Checkpoint
}

// DisclosedRecord is one as a reader gets it.
type DisclosedRecord struct {
	CaseRecord
	Disclosure Disclosure
	In         Part
}

// Dossier is an opened file with what it rests on.
type Dossier struct {
	OpenCase
	Reader     Reader
	File       File
	Checkpoint Checkpoint        // of the log of the case's outlet
	Others     []Part            // of other outlets' logs that hold some of the records
	Records    []DisclosedRecord // log by log, the case's own first, each in its order
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
// or of one made now if it is 0. The logs of other outlets that had the parcel
// count as they were signed last by then.
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
	parts, err := k.parts(ctx, c, size)
	if err != nil {
		return d, err
	}
	d.Checkpoint = parts[0].Checkpoint
	return d, k.lay(ctx, a, &d, parts)
}

// parts are the logs that may hold records of a case, its own first.
func (k *Clerk) parts(ctx context.Context, c OpenCase, size int64) (list []Part, err error) {
	others := make([]Checkpoint, len(c.Elsewhere))
	if size == 0 { // the others first, so that they are the last by the time of the case's own
		for i, log := range c.Elsewhere {
			if others[i], err = k.sign(ctx, log); err != nil {
				return nil, err
			}
		}
		if err := k.seal(ctx, c.Log.No); err != nil {
			return nil, err
		}
	}
	own, err := k.Ledger.checkpointAt(ctx, c.Log, "/size", size)
	if err != nil {
		return nil, err
	}
	list = []Part{{c.Log, own}}
	for i, log := range c.Elsewhere {
		if size != 0 {
			others[i], err = k.Ledger.checkpointBy(ctx, log, own.CreatedAt)
			if errors.Is(err, doorstep.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
		}
		list = append(list, Part{log, others[i]})
	}
	return list, nil
}

// sign puts what is committed at an outlet into its log and signs that.
func (k *Clerk) sign(ctx context.Context, log Log) (Checkpoint, error) {
	if err := k.seal(ctx, log.No); err != nil {
		return Checkpoint{}, err
	}
	return k.Ledger.Checkpoint(ctx, log)
}

// lay lays the file out for a reader.
func (k *Clerk) lay(ctx context.Context, a doorstep.Actor, d *Dossier, parts []Part) error {
	d.Reader = Reader{Role: a.Role, CourierNo: d.CourierNo} // a courier opens no case but his own
	var records []Record
	found := 0
	for i, part := range parts {
		list, err := k.Store.CaseRecords(ctx, part.Log.No, d.Waybill, part.Checkpoint.Size, MaxRecords+1)
		if err != nil {
			return err
		}
		if found += len(list); found > MaxRecords {
			return &doorstep.ConflictError{Code: "file_too_large", Detail: "the parcel has more records than a file can hold; list them with GET /v1/evidence"}
		}
		before := len(records)
		for _, r := range list {
			if !d.Reader.mayRead(d.Case, ReadRecord(r.Leaf, Disclosure{Opening: r.Opening})) {
				continue
			}
			shown := DisclosedRecord{r, d.Reader.Disclose(r.Leaf, r.Opening), part}
			d.Records = append(d.Records, shown)
			records = append(records, ReadRecord(r.Leaf, shown.Disclosure))
		}
		if i > 0 && len(records) > before {
			d.Others = append(d.Others, part)
		}
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

// seal puts what is committed at the outlet into its log. What is committed while
// it does so may wait: a busy outlet would keep the answer waiting for ever.
func (k *Clerk) seal(ctx context.Context, outlet doorstep.OutletNo) error {
	patient, cancel := context.WithTimeout(ctx, sealPatience)
	defer cancel()
	for {
		n, held, err := k.Store.Seal(patient, outlet, sealBatch)
		switch {
		case err != nil && patient.Err() != nil && ctx.Err() == nil:
			return fmt.Errorf("%w: sealing the log of outlet %d takes long: %w", doorstep.ErrUnavailable, outlet, err)
		case err != nil:
			return fmt.Errorf("outlet %d: %w", outlet, err)
		case n < sealBatch && !held:
			return nil
		case !held:
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-patient.Done():
			return fmt.Errorf("%w: another node is sealing the log of outlet %d", doorstep.ErrUnavailable, outlet)
		case <-time.After(sealAgain):
		}
	}
}

// Proofs prove that each record is in its log as of the checkpoint.
func (k *Clerk) Proofs(ctx context.Context, d Dossier) ([]tlog.RecordProof, error) {
	list := make([]tlog.RecordProof, len(d.Records))
	logs := map[doorstep.OutletNo]hashReader{} // neighbours' proofs share most of their tiles
	for i, r := range d.Records {
		if _, known := logs[r.In.Log.No]; !known {
			logs[r.In.Log.No] = k.Ledger.hashes(ctx, r.In.Log.No).remembering()
		}
		var err error
		if list[i], err = tlog.ProveRecord(r.In.Checkpoint.Size, r.Index, logs[r.In.Log.No]); err != nil {
			return nil, fmt.Errorf("log %d: leaf %d: %w", r.In.Log.No, r.Index, err)
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
