package doorstep

// Role is what a token lets its holder be.
type Role string

// The five roles.
const (
	RoleIntegrator Role = "integrator" // a carrier's systems, whole company
	RoleCourier    Role = "courier"    // own run, own file
	RoleConsumer   Role = "consumer"   // a person, or the holder of a link to one parcel
	RoleManager    Role = "manager"    // one outlet, a named human
	RoleHQ         Role = "hq"         // whole company, a named human
)

// Roles lists them in the order in which documents name them.
var Roles = []Role{RoleIntegrator, RoleCourier, RoleConsumer, RoleManager, RoleHQ}

// ConsumerID is the keyed hash of a company and a telephone number: the same
// person at the same carrier has the same id, and nobody without the key can
// turn it back.
type ConsumerID string

// Actor is who calls: what the authenticator made of a token.
type Actor struct {
	TokenID string
	Role    Role
	Company CompanyNo

	Outlet  string // the carrier's id of a manager's outlet
	Courier string // the carrier's id of a courier
	Subject string // the name of a manager or of somebody at headquarters

	Consumer   ConsumerID // of a consumer
	Waybill    Waybill    // the one parcel that a link is bound to; empty for a person
	LinkOutlet OutletNo   // where that parcel is
}

// CompanyNo is our number of a carrier, drawn from the same numbers as the
// outlets'.
type CompanyNo = OutletNo

// IsPerson says whether a consumer is known to be the person, not merely
// somebody who holds a link to one parcel.
func (a Actor) IsPerson() bool { return a.Role == RoleConsumer && a.Waybill == "" }

// ErrPersonRequired refuses what needs the person and not just a link.
var ErrPersonRequired = &ForbiddenError{
	Code: "person_required", Detail: "this link is bound to one parcel; open the link that was sent to your phone",
}
