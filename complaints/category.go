package complaints

// Category is the chief grievance of a complaint, from a closed list.
type Category string

// The list. reading/data/README.md defines each.
const (
	FalseSignFor              Category = "false_sign_for"
	Delay                     Category = "delay"
	LockerWithoutConsent      Category = "locker_without_consent"
	PickupPointWithoutConsent Category = "pickup_point_without_consent"
	NotToDoor                 Category = "not_to_door"
	NoCallBeforeDelivery      Category = "no_call_before_delivery"
	Damaged                   Category = "damaged"
	Lost                      Category = "lost"
	Attitude                  Category = "attitude"
	WrongAddress              Category = "wrong_address"
	PrivacyLeak               Category = "privacy_leak"
	Overcharge                Category = "overcharge"
	Other                     Category = "other"
)

// Categories lists them in the order in which documents name them.
var Categories = []Category{
	FalseSignFor, Delay, LockerWithoutConsent, PickupPointWithoutConsent, NotToDoor,
	NoCallBeforeDelivery, Damaged, Lost, Attitude, WrongAddress, PrivacyLeak, Overcharge, Other,
}
