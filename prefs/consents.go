package prefs

import (
	"context"
	"slices"
	"time"

	"doorstep"
)

// ConsentRequest is a consent as it arrived.
type ConsentRequest struct {
	Kind          string
	Scope         string // parcel, address or all
	Waybill       string
	AddressID     string // for scope address; else the address of Waybill
	Facility      string
	ReceiptMethod string
	FreeUntil     string // RFC 3339; "" = not said
	FeeFen        int64
	ValidUntil    string // RFC 3339; "" = no end
}

// GiveConsent records that the caller allows one kind of drop.
func (b *Book) GiveConsent(ctx context.Context, a doorstep.Actor, in ConsentRequest) (Consent, error) {
	c := Consent{Kind: ConsentKind(in.Kind), ReceiptMethod: in.ReceiptMethod, GivenAt: b.Now()}
	var checks doorstep.Checks
	if !slices.Contains(ConsentKinds, c.Kind) {
		checks.Add("/kind", "unknown_kind", "must be locker, pickup_point, proxy or doorstep")
	}
	if !slices.Contains(ReceiptMethods, c.ReceiptMethod) {
		checks.Add("/receipt_method", "unknown_receipt_method", "must be in_person, pickup_code, photo or unspecified")
	}
	var err error
	c.Facility, err = doorstep.CheckText(in.Facility, 0, maxNote)
	checks.Under("/facility", err)
	if in.ValidUntil != "" {
		c.ValidUntil, err = time.Parse(time.RFC3339, in.ValidUntil)
		if err != nil || !c.ValidUntil.After(c.GivenAt) {
			checks.Add("/valid_until", "invalid_time", "must be an RFC 3339 time in the future")
		}
	}
	c.FreeUntil, c.FeeFen = in.storage(c.GivenAt, &checks)
	c.Scope, err = b.consentScope(ctx, a, in, &checks)
	if err == nil {
		err = checks.Err()
	}
	if err != nil {
		return Consent{}, err
	}
	c.ID = b.NewID(a.Company)
	return c, b.Store.AddConsent(ctx, a, c)
}

// maxFee bounds what a day of storage may cost, in fen: more is a slip.
const maxFee = 100_000

// storage reads what the consumer was told of keeping the parcel: until when it
// is free, and what a day costs then (Guangzhou Express Regulations).
func (in ConsentRequest) storage(now time.Time, checks *doorstep.Checks) (freeUntil time.Time, fee int64) {
	if in.FreeUntil != "" {
		var err error
		if freeUntil, err = time.Parse(time.RFC3339, in.FreeUntil); err != nil || !freeUntil.After(now) {
			checks.Add("/free_until", "invalid_time", "must be an RFC 3339 time in the future")
		}
	}
	if in.FeeFen < 0 || in.FeeFen > maxFee {
		checks.Add("/fee_fen", "out_of_range", "must be 0 to 100000")
	}
	return freeUntil, in.FeeFen
}

func (b *Book) consentScope(ctx context.Context, a doorstep.Actor, in ConsentRequest, checks *doorstep.Checks) (Scope, error) {
	switch in.Scope {
	case "parcel":
		if in.Waybill == "" {
			checks.Add("/waybill", "required", "a consent for a parcel names its waybill")
			return "", nil
		}
		return b.scope(ctx, a, in.Waybill, "", checks)
	case "address":
		if !a.IsPerson() {
			return "", errPersonRequired
		}
		if in.AddressID != "" || in.Waybill == "" {
			id, err := doorstep.CheckID(in.AddressID)
			checks.Under("/address_id", err)
			return AtAddress(id), nil
		}
		w, err := doorstep.ParseWaybill(in.Waybill)
		if err != nil {
			checks.Under("/waybill", err)
			return "", nil
		}
		id, err := b.Store.ParcelAddress(ctx, a, w)
		if err == nil && id == "" {
			checks.Add("/waybill", "address_unknown", "the carrier gave no address id with this parcel")
		}
		return AtAddress(id), err
	case "all":
		if !a.IsPerson() {
			return "", errPersonRequired
		}
		return Standing, nil
	}
	checks.Add("/scope", "unknown_scope", "must be parcel, address or all")
	return "", nil
}

// Consents lists the caller's consents, the newest first.
func (b *Book) Consents(ctx context.Context, a doorstep.Actor, p ConsentPage) ([]Consent, error) {
	p.Only = linkScope(a)
	return b.Store.Consents(ctx, a.Consumer, p)
}

// RevokeConsent ends a consent from now on; what was dropped under it stays
// allowed.
func (b *Book) RevokeConsent(ctx context.Context, a doorstep.Actor, id string) error {
	return b.Store.RevokeConsent(ctx, a, id, linkScope(a))
}

// linkScope is the only scope that the holder of a parcel's link may touch; ""
// for a person.
func linkScope(a doorstep.Actor) Scope {
	if a.IsPerson() {
		return ""
	}
	return ForParcel(string(a.Waybill))
}
