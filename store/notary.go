package store

import (
	"context"
	"fmt"
	"time"

	"doorstep"
	"doorstep/evidence"
)

// GrownLogs lists logs that have grown since their last checkpoint, where that was
// made at or before a time.
func (db *DB) GrownLogs(ctx context.Context, before time.Time, limit int) ([]evidence.Log, error) {
	return db.logs(ctx, `select outlet_no as no from log_head where size > 0 and not exists (select 1 from (
    select size, created_at_ms from log_checkpoint k where k.outlet_no = log_head.outlet_no order by size desc limit 1) newest
    where newest.size = log_head.size or newest.created_at_ms > ?) order by outlet_no limit ?`, ms(before), limit)
}

// Logs lists all logs.
func (db *DB) Logs(ctx context.Context) ([]evidence.Log, error) {
	return db.logs(ctx, `select outlet_no as no from log_head`)
}

// logs gives the names of logs that a query has the numbers of.
func (db *DB) logs(ctx context.Context, numbers string, args ...any) ([]evidence.Log, error) {
	var rows []struct {
		No      doorstep.OutletNo
		Company string
		Outlet  string
	}
	err := db.list(ctx, &rows, `with found as (`+numbers+`)
select found.no as no, c.name as company, o.id as outlet from found
join outlet o on o.no = found.no join company c on c.no = o.company_no
union all
select found.no, c.name, '' from found join company c on c.no = found.no
order by no`, args...)
	if err != nil {
		return nil, fmt.Errorf("logs: %w", err)
	}
	list := make([]evidence.Log, len(rows))
	for i, r := range rows {
		list[i] = evidence.Log{No: r.No, Company: r.Company, Outlet: r.Outlet}
	}
	return list, nil
}

// OutletTrees lists the outlets' logs and their present states, by number and
// behind one of them.
func (db *DB) OutletTrees(ctx context.Context, after doorstep.OutletNo, limit int) ([]evidence.OutletTree, error) {
	var rows []struct {
		headRow
		No        doorstep.OutletNo
		CompanyNo doorstep.CompanyNo `db:"company_no"`
		Company   string
		Outlet    string
	}
	err := db.list(ctx, &rows, `select h.outlet_no as no, h.size, h.subtrees, o.company_no, c.name as company, o.id as outlet
from log_head h join outlet o on o.no = h.outlet_no join company c on c.no = o.company_no
where h.outlet_no > ? and h.size > 0 order by h.outlet_no limit ?`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("outlets' logs: %w", err)
	}
	list := make([]evidence.OutletTree, len(rows))
	for i, r := range rows {
		list[i] = evidence.OutletTree{Log: evidence.Log{No: r.No, Company: r.Company, Outlet: r.Outlet}, CompanyNo: r.CompanyNo}
		if list[i].Tree, err = r.tree(); err != nil {
			return nil, fmt.Errorf("log %d: %w", r.No, err)
		}
	}
	return list, nil
}

// CoverHeads puts heads into a company's log, those that are larger than what it
// has of the same outlet, and says how many. While somebody else has the log's
// lease, it puts none.
func (db *DB) CoverHeads(ctx context.Context, company doorstep.CompanyNo, heads []evidence.Head) (n int, err error) {
	outlets := make([]int64, len(heads))
	for i, h := range heads {
		outlets[i] = int64(h.No)
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		n = 0
		head, err := db.holdLog(tx, company)
		if err != nil || head == nil {
			return err
		}
		var covered []struct {
			No   doorstep.OutletNo `db:"covered_no"`
			Size int64
		}
		err = tx.list(&covered, `select covered_no, size from log_covered where outlet_no = ? and covered_no`+db.inList, company, db.asList(outlets))
		if err != nil {
			return err
		}
		sizes := make(map[doorstep.OutletNo]int64, len(covered))
		for _, c := range covered {
			sizes[c.No] = c.Size
		}
		var leaves []leaf
		var rows [][]any
		for _, h := range heads {
			if h.Size > sizes[h.No] {
				rows = append(rows, []any{int64(company), int64(h.No), h.Size, head.tree.Size + int64(len(leaves))})
				leaves = append(leaves, leaf{record: h.Record(), hash: h.Hash(), text: h.Text})
			}
		}
		if len(leaves) == 0 {
			return nil
		}
		if err := head.append(tx, leaves); err != nil {
			return err
		}
		n = len(leaves)
		return tx.insert(`insert into log_covered (outlet_no, covered_no, size, seq)`,
			`on conflict (outlet_no, covered_no) do update set size = excluded.size, seq = excluded.seq`, rows)
	})
	if err != nil {
		return 0, fmt.Errorf("cover heads: %w", err)
	}
	return n, nil
}

// Heads lists the newest heads of a company's outlets in its log, by the outlets'
// numbers and behind one of them.
func (db *DB) Heads(ctx context.Context, company doorstep.CompanyNo, after doorstep.OutletNo, limit int) ([]evidence.Head, error) {
	var rows []struct {
		No     doorstep.OutletNo
		Outlet string
		Size   int64
		Text   string
	}
	err := db.list(ctx, &rows, `select v.covered_no as no, o.id as outlet, v.size, l.text
from log_covered v join log_leaf l on l.outlet_no = v.outlet_no and l.seq = v.seq join outlet o on o.no = v.covered_no
where v.outlet_no = ? and v.covered_no > ? order by v.covered_no limit ?`, company, after, limit)
	if err != nil {
		return nil, fmt.Errorf("heads: %w", err)
	}
	list := make([]evidence.Head, len(rows))
	for i, r := range rows {
		list[i] = evidence.Head{Log: evidence.Log{No: r.No, Outlet: r.Outlet}, Size: r.Size, Text: r.Text}
	}
	return list, nil
}

var (
	_ evidence.SealStore   = (*DB)(nil)
	_ evidence.LedgerStore = (*DB)(nil)
	_ evidence.NotaryStore = (*DB)(nil)
)
