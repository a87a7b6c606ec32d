package api

import (
	"context"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"doorstep"
	"doorstep/evidence"
)

// GetLogKey implements GET /v1/log/key.
func (s *Server) GetLogKey(context.Context, GetLogKeyRequestObject) (GetLogKeyResponseObject, error) {
	keys := s.Ledger.Keys.Public()
	body := LogKey{Key: keys[0]}
	if len(keys) > 1 {
		previous := keys[1:]
		body.Previous = &previous
	}
	return GetLogKey200JSONResponse(body), nil
}

// GetLogCheckpoint implements GET /v1/log/checkpoint.
func (s *Server) GetLogCheckpoint(ctx context.Context, req GetLogCheckpointRequestObject) (GetLogCheckpointResponseObject, error) {
	page, after, err := pageOfHeads(req.Params.Limit, req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	log, err := s.Ledger.Find(ctx, given(req.Params.Company), given(req.Params.OutletID))
	if err != nil {
		return nil, err
	}
	c, err := s.Ledger.Checkpoint(ctx, log)
	if err != nil {
		return nil, err
	}
	body := checkpointBody(c)
	if log.Outlet != "" {
		return GetLogCheckpoint200JSONResponse(body), nil
	}
	heads, err := s.Ledger.Heads(ctx, log, after, page.Limit+1)
	if err != nil {
		return nil, err
	}
	heads, body.NextCursor = cut(heads, page.Limit, func(h evidence.Head) *string { return NextCursor(strconv.FormatInt(int64(h.No), 10)) })
	list := make([]LogHead, len(heads))
	for i, h := range heads {
		list[i] = LogHead{OutletID: h.Outlet, Size: h.Size, Record: h.Record(), Leaf: h.Text}
	}
	body.Heads = &list
	return GetLogCheckpoint200JSONResponse(body), nil
}

// pageOfHeads reads which heads are asked for: those behind an outlet's number.
func pageOfHeads(limit, cursor *string) (page Page, after doorstep.OutletNo, err error) {
	if page, err = ParsePage(limit, cursor, 1); err != nil || page.After == nil {
		return page, 0, err
	}
	no, err := strconv.ParseInt(page.After[0], 10, 64)
	if err != nil {
		return page, 0, errCursor()
	}
	return page, doorstep.OutletNo(no), nil
}

// GetInclusionProof implements GET /v1/log/proofs/inclusion.
func (s *Server) GetInclusionProof(ctx context.Context, req GetInclusionProofRequestObject) (GetInclusionProofResponseObject, error) {
	p := req.Params
	var checks doorstep.Checks
	size := treeSize("/size", p.Size, &checks)
	if err := checks.Err(); err != nil {
		return nil, err
	}
	log, err := s.Ledger.Find(ctx, given(p.Company), given(p.OutletID))
	if err != nil {
		return nil, err
	}
	proof, err := s.Ledger.Inclusion(ctx, log, p.Record, size)
	if err != nil {
		return nil, err
	}
	return GetInclusionProof200JSONResponse{
		Index: proof.Index, Size: proof.Size, Leaf: string(proof.Leaf), Hashes: hashTexts(proof.Hashes), Proof: proof.Text(),
	}, nil
}

// GetConsistencyProof implements GET /v1/log/proofs/consistency.
func (s *Server) GetConsistencyProof(ctx context.Context, req GetConsistencyProofRequestObject) (GetConsistencyProofResponseObject, error) {
	p := req.Params
	var checks doorstep.Checks
	from, to := treeSize("/from", &p.From, &checks), treeSize("/to", p.To, &checks)
	if err := checks.Err(); err != nil {
		return nil, err
	}
	log, err := s.Ledger.Find(ctx, given(p.Company), given(p.OutletID))
	if err != nil {
		return nil, err
	}
	hashes, c, err := s.Ledger.Consistency(ctx, log, from, to)
	if err != nil {
		return nil, err
	}
	return GetConsistencyProof200JSONResponse{From: from, To: c.Size, Hashes: hashTexts(hashes), Checkpoint: c.Note}, nil
}

// treeSize reads the size of a log: 0 if none is given.
func treeSize(pointer string, text *string, checks *doorstep.Checks) int64 {
	if text == nil {
		return 0
	}
	n, err := strconv.ParseInt(*text, 10, 64)
	if err != nil || n < 1 {
		checks.Add(pointer, "invalid_size", "must be a whole number from 1 on")
	}
	return n
}

func hashTexts(hashes []tlog.Hash) []string {
	list := make([]string, len(hashes))
	for i, h := range hashes {
		list[i] = h.String()
	}
	return list
}
