package complaints

import (
	"context"

	"doorstep"
)

// SecondReader reads once more what the first reader is unsure of.
type SecondReader interface {
	// Unsure says whether a reading is worth a second one.
	Unsure(first Reading) bool
	// ReadAgain gives the first reading or a better one, in bounded time. Of those
	// who are known nothing may leave the house.
	ReadAgain(ctx context.Context, text string, first Reading, known []Party) Reading
}

// Party is somebody whom a complaint's text may name: the consignee, or who told
// us. Any field may be empty.
type Party struct {
	Phone   doorstep.Phone
	Name    string
	Address string
	Waybill doorstep.Waybill
}

// read reads a complaint, a second time where the first is unsure and somebody
// else can be asked. It happens before the complaint is kept: its category says
// with which other it is one, and what it taught is shown to whoever files it, so
// neither can change afterwards.
func (d *Desk) read(ctx context.Context, c Intake, custody Custody, reporter *Reporter) Reading {
	first := d.Read(c.Complaint.Text)
	doubtful := first
	if c.Complaint.Category != "" { // a person chose it
		doubtful.Category, doubtful.Confidence = c.Complaint.Category, 1
	}
	if d.Again == nil || !d.Again.Unsure(doubtful) {
		return first
	}
	consignee, err := d.Store.Consignee(ctx, custody.Parcel, c.Complaint.Waybill)
	if err != nil {
		return first // what is not known cannot be masked
	}
	consignee.Waybill = c.Complaint.Waybill
	known := []Party{consignee}
	if reporter != nil {
		known = append(known, Party{Phone: doorstep.Phone(reporter.Phone), Name: reporter.Name})
	}
	return d.Again.ReadAgain(ctx, c.Complaint.Text, doubtful, known)
}
