package bench

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"doorstep"
	"doorstep/access"
	"doorstep/evidence"
	"doorstep/evidence/bundle"
)

// Cases of a run, and how often each one's file is opened: every opening is a
// record more in it.
const (
	openedCases = 20
	openings    = 5
)

// casefile is how long the file of a complaint takes, with so much history as was
// asked for.
func (s *stage) casefile(ctx context.Context) (rows []Row, err error) {
	empty, err := s.newSite(ctx)
	if err != nil {
		return nil, err
	}
	defer empty.closeInto(&err)
	row := Row{
		Name: "casefile", Title: fmt.Sprintf("p99 of the file of a complaint with %s parcels of history", millions(s.History)), Unit: "ms",
		Goal: &Goal{Must: 100, Aim: 20, AtMost: true},
	}
	large := empty
	if s.History > 0 {
		if large, err = s.newTaughtSite(ctx); err != nil {
			return nil, err
		}
		defer large.closeInto(&err)
		morning, err := large.sampleMorning(ctx)
		if err != nil {
			return nil, err
		}
		if err := large.live(ctx, morning, s.History); err != nil {
			return nil, err
		}
		took, err := empty.openFiles(ctx, 0)
		if err != nil {
			return nil, err
		}
		row.Note = fmt.Sprintf("%.1f ms on an empty database", millis(Percentile(took, 0.99)))
	}
	for run := range s.Runs {
		took, err := large.openFiles(ctx, run+1)
		if err != nil {
			return nil, err
		}
		row.Runs = append(row.Runs, Paired{Doorstep: millis(Percentile(took, 0.99))})
	}
	return []Row{row.sum()}, nil
}

// openFiles files complaints and opens their files.
func (x *site) openFiles(ctx context.Context, run int) (took []time.Duration, err error) {
	secrets, err := x.tokens(ctx, access.Request{Role: doorstep.RoleHQ, Subject: "bench"})
	if err != nil {
		return nil, err
	}
	server, err := x.serve(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, x.stop(server)) }()
	client, err := dial(ctx, server.addr)
	if err != nil {
		return nil, err
	}
	defer client.close()
	for i := range openedCases {
		waybill := fmt.Sprintf("CASE-%d-%d", run, i)
		for _, step := range []struct{ path, body string }{
			{"/v1/dispatches", fmt.Sprintf(`{"dispatches":[{"waybill":"%s","outlet_id":"%s","courier_id":"%s","consignee":{"phone":"%s"}}]}`, waybill, outletID(0), courierID(0), phoneOf(i))},
			{"/v1/complaints", fmt.Sprintf(`{"waybill":"%s","category":"delay","text":"慢"}`, waybill)},
		} {
			whole, _ := request("POST", step.path, x.town.token, []byte(step.body))
			if _, err := client.exchange(whole); err != nil {
				return nil, fmt.Errorf("POST %s: %w", step.path, err)
			}
		}
		var filed struct{ ID string }
		if err := json.Unmarshal(client.body.Bytes(), &filed); err != nil {
			return nil, err
		}
		whole, _ := request("GET", "/v1/complaints/"+filed.ID+"/evidence", secrets[0], nil)
		for range openings {
			began := time.Now()
			if _, err := client.exchange(whole); err != nil {
				return nil, fmt.Errorf("GET evidence: %w", err)
			}
			took = append(took, time.Since(began))
		}
	}
	return took, nil
}

// verifiedLeaves is how many leaves the log has whose records are verified.
const verifiedLeaves = 200_000

// verify is how many records a second are checked: leaf hash, inclusion proof
// and the commitments of seven fields, on all processors.
func (s *stage) verify(ctx context.Context) ([]Row, error) {
	records, checkpoint, err := provenRecords(1000)
	if err != nil {
		return nil, err
	}
	row := Row{
		Name: "verify", Title: fmt.Sprintf("records of a bundle checked against a log of %s leaves, in memory", millions(verifiedLeaves)), Unit: "records/s",
		Goal: &Goal{Must: 100_000},
	}
	row.Runs, err = s.pairs(ctx, func(ctx context.Context) (float64, error) { return checkFor(s.Scale.Slice, records, checkpoint) }, nil)
	return []Row{row.sum()}, err
}

// checkFor checks records again and again and gives the rate.
func checkFor(d time.Duration, records []bundle.Record, c evidence.Checkpoint) (float64, error) {
	workers := runtime.GOMAXPROCS(0)
	done, failed := make([]int, workers), make([]error, workers)
	began := time.Now()
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for time.Since(began) < d && failed[w] == nil {
				for _, r := range records {
					if _, err := r.Check(c); err != nil {
						failed[w] = err
						return
					}
				}
				done[w] += len(records)
			}
		})
	}
	wait.Wait()
	all := 0
	for _, n := range done {
		all += n
	}
	return float64(all) / time.Since(began).Seconds(), errors.Join(failed...)
}

// hashes are a log's, in the order of tlog.StoredHashIndex.
type hashes []tlog.Hash

// ReadHashes implements tlog.HashReader.
func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		list[i] = h[at]
	}
	return list, nil
}

// provenRecords are records spread over a log, with their proofs.
func provenRecords(n int) (list []bundle.Record, c evidence.Checkpoint, err error) {
	var log hashes
	for i := range int64(verifiedLeaves) {
		leaf := fmt.Appendf(nil, "another record %d\n", i)
		if i%(verifiedLeaves/int64(n)) == 0 {
			r, err := someCall(i)
			if err != nil {
				return nil, c, err
			}
			list, leaf = append(list, r), r.Leaf.Text()
		}
		more, err := tlog.StoredHashes(i, leaf, log)
		if err != nil {
			return nil, c, err
		}
		log = append(log, more...)
	}
	c.Size = verifiedLeaves
	if c.Root, err = tlog.TreeHash(c.Size, log); err != nil {
		return nil, c, err
	}
	for i := range list {
		if list[i].Proof, err = tlog.ProveRecord(c.Size, list[i].Index, log); err != nil {
			return nil, c, err
		}
	}
	return list, c, nil
}

// someCall is a call as a phone uploads it, all of it disclosed.
func someCall(index int64) (bundle.Record, error) {
	f := evidence.Fact{
		ID: doorstep.MakeID(1), Kind: evidence.Call, Source: evidence.Device, CourierNo: 7, Waybill: "SF1234567890", OccurredAt: now(), ReceivedAt: now(),
		Fields: []evidence.Field{
			{Name: "direction", Value: "outgoing"}, {Name: "duration_s", Value: 31.5}, {Name: "outcome", Value: "answered"},
			{Name: "call_id", Value: fmt.Sprint(index)}, {Name: "state", Value: "ended"}, {Name: "ended_by", Value: "consumer"},
		},
	}
	commitments, body, err := evidence.Commit(f.Committed(), rand.Reader)
	if err != nil {
		return bundle.Record{}, err
	}
	r := bundle.Record{Index: index, Leaf: evidence.Leaf{ID: f.ID, Kind: f.Kind, ReceivedAt: f.ReceivedAt, Commitments: commitments}}
	return r, json.Unmarshal(body, &r.Disclosure.Opening)
}
