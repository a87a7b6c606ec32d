package privacy

import "doorstep"

// Parcel names one parcel at one outlet.
type Parcel struct {
	Outlet  doorstep.OutletNo `db:"outlet_no"`
	Waybill doorstep.Waybill
}
