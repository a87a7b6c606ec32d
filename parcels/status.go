package parcels

// ParcelStatus is what a scan says of a parcel, in our own words.
type ParcelStatus string

// The statuses with which a parcel's way ends at its consignee.
const (
	SignedSelf           ParcelStatus = "signed_self"
	SignedProxy          ParcelStatus = "signed_proxy"
	SignedFacility       ParcelStatus = "signed_facility"
	SignedAfterException ParcelStatus = "signed_after_exception"
)

// IsTerminal says whether the parcel counts as delivered from then on.
func (s ParcelStatus) IsTerminal() bool {
	return s == SignedSelf || s == SignedProxy || s == SignedFacility || s == SignedAfterException
}

// Method is how a terminal scan says that the parcel was handed over; "" if it
// does not say exactly.
func (s ParcelStatus) Method() Method {
	switch s {
	case SignedSelf:
		return InPerson
	case SignedProxy:
		return ByProxy
	}
	return ""
}

// CodeSystem is a family of codes that carriers and their platforms use.
type CodeSystem string

// The systems. UPU codes are those of EMSEVT, Rec24 those of UN/ECE
// Recommendation 24.
const (
	Doorstep  CodeSystem = "doorstep"
	Kuaidi100 CodeSystem = "kuaidi100"
	AfterShip CodeSystem = "aftership"
	UPU       CodeSystem = "upu"
	Rec24     CodeSystem = "rec24"
)

// CodeSystems lists them.
var CodeSystems = []CodeSystem{Doorstep, Kuaidi100, AfterShip, UPU, Rec24}

// StatusCode is a status with the codes that other systems have for it, the most
// exact first. Deposit is not receipt, and who
// received is kept apart, also where a system knows one word for both: then that
// system's code says less than ours, and the way back gives ours by its best word.
type StatusCode struct {
	Status ParcelStatus
	Codes  map[CodeSystem][]string
}

// StatusCodes lists all statuses, in the order of a parcel's way. A code stands
// with the status that it says best. Source: kuaidi100's state table, AfterShip's tags and subtags, UPU EMSEVT V3
// and Rec 24; research notes, status codes side by side.
var StatusCodes = []StatusCode{
	{"created", codes("1", "101", "102").as("InfoReceived", "Pending").upu().rec("6")},
	{"picked_up", codes("103").as("InTransit_002").upu("EMA").rec("13")},
	{"in_transit", codes("0", "1002").as("InTransit", "InTransit_007").upu("EMC", "EMD", "EMF", "EMJ", "EMK").rec("31", "24")},
	{"arrived_city", codes("1001").as("InTransit_003").upu("EDD").rec("1")},
	{"redirected", codes("7", "1003").as().upu().rec("35")},
	{"arrived_outlet", codes().as().upu("EMG").rec()},
	{"out_for_delivery", codes("5").as("OutForDelivery", "OutForDelivery_001").upu("EDG").rec()},
	{"deposited", codes("501").as("AvailableForPickup", "AvailableForPickup_001").upu("EDH").rec("45")},
	{SignedSelf, codes("301", "3").as("Delivered_003", "Delivered_002", "Delivered").upu("EMI").rec("21")},
	{SignedProxy, codes("303").as("Delivered_005").upu().rec("22")},
	{SignedFacility, codes("304").as("Delivered_001").upu().rec()},
	{SignedAfterException, codes("302").as().upu().rec()},
	{"attempt_failed", codes("204").as("AttemptFail").upu("EMH").rec("23")},
	{"unreachable", codes("206").as("AttemptFail_002").upu().rec()},
	{"overdue_pickup", codes("205").as().upu().rec()},
	{"damaged", codes("209").as().upu().rec("18")},
	{"delayed", codes("208", "2").as("Exception_005", "Exception_016", "Exception_017", "Exception").upu().rec("20")},
	{"refused", codes("14").as("Exception_003").upu().rec()},
	{"returning", codes("6").as().upu().rec()},
	{"returned", codes("4").as().upu().rec()},
	{"cancelled", codes("401").as().upu("EXX").rec("7")},
	{"customs", codes("8", "10", "11", "12", "13").as("Exception_004").upu("EDB", "EME", "EDC").rec("12", "17")},
	{"stale", codes("202").as("Expired").upu().rec()},
}

// row builds one line of the table, a system at a time.
type row map[CodeSystem][]string

func codes(kuaidi100 ...string) row { return row{Kuaidi100: kuaidi100} }

func (r row) as(list ...string) row  { r[AfterShip] = list; return r }
func (r row) upu(list ...string) row { r[UPU] = list; return r }
func (r row) rec(list ...string) map[CodeSystem][]string {
	r[Rec24] = list
	for system, codes := range r {
		if len(codes) == 0 {
			delete(r, system)
		}
	}
	return r
}

var statusOf = index()

func index() map[CodeSystem]map[string]ParcelStatus {
	table := map[CodeSystem]map[string]ParcelStatus{Doorstep: {}}
	for _, c := range StatusCodes {
		table[Doorstep][string(c.Status)] = c.Status
		for system, codes := range c.Codes {
			if table[system] == nil {
				table[system] = map[string]ParcelStatus{}
			}
			for _, code := range codes {
				table[system][code] = c.Status
			}
		}
	}
	return table
}

// StatusOf says what a system's code means. Without a system the code is taken
// for one of ours. False: it is not known, and only kept.
func StatusOf(system CodeSystem, code string) (ParcelStatus, bool) {
	if system == "" {
		system = Doorstep
	}
	s, ok := statusOf[system][code]
	return s, ok
}
