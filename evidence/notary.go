package evidence

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"doorstep"
)

// NotaryStore is what a Notary needs kept.
type NotaryStore interface {
	// GrownLogs lists logs that have grown since their last checkpoint, where that
	// was made at or before a time, at most limit.
	GrownLogs(ctx context.Context, before time.Time, limit int) ([]Log, error)
	// OutletTrees lists the outlets' logs and their present states, by number and
	// behind one of them, at most limit.
	OutletTrees(ctx context.Context, after doorstep.OutletNo, limit int) ([]OutletTree, error)
	// CoverHeads puts heads into a company's log, those that are larger than what it
	// has of the same outlet, and says how many. While somebody else has the log's
	// lease, it puts none.
	CoverHeads(ctx context.Context, company doorstep.CompanyNo, heads []Head) (int, error)
}

// OutletTree is the state of an outlet's log.
type OutletTree struct {
	Log
	CompanyNo doorstep.CompanyNo
	Tree
}

// Notary makes checkpoints while nobody asks for them, and puts the heads of the
// outlets' logs into their companies', so that no log can vanish. Any number may
// share a database.
type Notary struct {
	Store  NotaryStore
	Ledger *Ledger
	Log    *slog.Logger

	covered time.Time // when this notary covered heads last
}

const (
	checkpointEvery = time.Minute
	notaryInterval  = 10 * time.Second
	notaryBatch     = 200

	// coverEvery keeps the leaves about heads few beside those of records: an outlet
	// makes some hundreds of records in that time while its couriers are out.
	coverEvery = 10 * time.Minute
)

// Run repeats Pass until ctx ends.
func (n *Notary) Run(ctx context.Context) error {
	return doorstep.Repeat(ctx, notaryInterval, n.Pass, func(err error) {
		n.Log.ErrorContext(ctx, "sign logs", "error", err)
	})
}

// Pass covers heads if it is time, signs logs that have grown, and says how many
// it signed.
func (n *Notary) Pass(ctx context.Context) (int, error) {
	now := n.Ledger.Now()
	var failures []error
	if now.Sub(n.covered) >= coverEvery {
		if _, err := n.Cover(ctx); err != nil {
			failures = append(failures, err)
		} else {
			n.covered = now
		}
	}
	logs, err := n.Store.GrownLogs(ctx, now.Add(-checkpointEvery), notaryBatch)
	if err != nil {
		return 0, fmt.Errorf("grown logs: %w", err)
	}
	signed := 0
	for _, log := range logs {
		if _, err := n.Ledger.Checkpoint(ctx, log); err != nil {
			failures = append(failures, err)
			continue
		}
		signed++
	}
	return signed, errors.Join(failures...)
}

// Cover puts the heads that have grown into their companies' logs and says how
// many.
func (n *Notary) Cover(ctx context.Context) (total int, err error) {
	after := doorstep.OutletNo(0)
	for {
		page, err := n.Store.OutletTrees(ctx, after, notaryBatch)
		if err != nil || len(page) == 0 {
			return total, err
		}
		byCompany := map[doorstep.CompanyNo][]Head{}
		for _, o := range page {
			byCompany[o.CompanyNo] = append(byCompany[o.CompanyNo], NewHead(n.Ledger.Keys.Name(), o.Log, o.Tree, n.Ledger.Now()))
		}
		for company, heads := range byCompany {
			covered, err := n.Store.CoverHeads(ctx, company, heads)
			if err != nil {
				return total, fmt.Errorf("company %d: %w", company, err)
			}
			total += covered
		}
		after = page[len(page)-1].No
	}
}
