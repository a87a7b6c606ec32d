package bundle

import (
	"context"

	"doorstep"
	"doorstep/evidence"
)

// Packer makes bundles of cases.
type Packer struct {
	Clerk *evidence.Clerk
}

// Bundle packs a case for whoever opens it, as of the checkpoint of a size or, if
// it is 0, of now. With since it proves too that the log grew from that size. The
// same case, checkpoint and role give the same bytes, unless values were erased
// in between.
func (p *Packer) Bundle(ctx context.Context, a doorstep.Actor, complaintID string, size, since int64) ([]byte, error) {
	d, err := p.Clerk.Open(ctx, a, complaintID, evidence.OpenedBundle, size)
	if err != nil {
		return nil, err
	}
	proofs, err := p.Clerk.Proofs(ctx, d)
	if err != nil {
		return nil, err
	}
	keys := p.Clerk.Ledger.Keys
	c := Contents{File: d.File, Checkpoint: d.Checkpoint}
	// Signed again by the keys of today: the reader has those.
	if c.Checkpoint.Note, err = evidence.SignCheckpoint(d.Checkpoint.Origin, d.Checkpoint.Size, d.Checkpoint.Root, keys.Signers()...); err != nil {
		return nil, err
	}
	for i, r := range d.Records {
		c.Records = append(c.Records, Record{
			Leaf: r.Leaf, Disclosure: r.Disclosure, ErasedBy: r.ErasedBy, Index: r.Index, Proof: proofs[i],
		})
	}
	if since > 0 {
		proof, _, err := p.Clerk.Ledger.Consistency(ctx, d.Log, since, d.Checkpoint.Size)
		if err != nil {
			return nil, err
		}
		c.Since = &Consistency{Size: since, Proof: proof}
	}
	return Pack(c, keys[0])
}
