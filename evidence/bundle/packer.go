package bundle

import (
	"context"

	"doorstep"
	"doorstep/evidence"
)

// Packer makes bundles of cases.
type Packer struct {
	Clerk  *evidence.Clerk
	Photos Photos
}

// Bundle packs a case for whoever opens it, as of the checkpoint of a size or, if
// it is 0, of now. With since it proves too that the log grew from that size. The
// same case, checkpoint and role give the same bytes, unless values were erased, a
// photo came or a feed's past became known better in between.
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
	c := Contents{File: d.File}
	if c.Checkpoint, err = signAgain(d.Checkpoint, keys); err != nil {
		return nil, err
	}
	places := map[doorstep.OutletNo]int{d.Log.No: 0}
	for i, other := range d.Others {
		signed, err := signAgain(other.Checkpoint, keys)
		if err != nil {
			return nil, err
		}
		c.Others, places[other.Log.No] = append(c.Others, signed), i+1
	}
	for i, r := range d.Records {
		c.Records = append(c.Records, Record{
			Leaf: r.Leaf, Disclosure: r.Disclosure, ErasedBy: r.ErasedBy, In: places[r.In.Log.No], Index: r.Index, Proof: proofs[i],
		})
	}
	if c.Photos, err = p.photos(ctx, d); err != nil {
		return nil, err
	}
	if since > d.Checkpoint.Size {
		return nil, evidence.ErrSize("/since")
	}
	if since > 0 {
		proof, _, err := p.Clerk.Ledger.Consistency(ctx, d.Log, since, d.Checkpoint.Size)
		if err != nil {
			return nil, err
		}
		c.Since = &Consistency{Size: since, Proof: proof}
	}
	return Pack(c, keys.Signing()...)
}

// signAgain signs a checkpoint with the keys of today: the reader has those.
func signAgain(c evidence.Checkpoint, keys evidence.Keys) (_ evidence.Checkpoint, err error) {
	c.Note, err = evidence.SignCheckpoint(c.Origin, c.Size, c.Root, keys.Signers()...)
	return c, err
}
