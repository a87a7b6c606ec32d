package prefs

import "slices"

// Tag is a lasting wish about deliveries, from a closed vocabulary.
type Tag string

// The vocabulary. reading/data/README.md says when a complaint teaches which.
const (
	NoLocker         Tag = "no_locker"
	NoPickupPoint    Tag = "no_pickup_point"
	ToDoor           Tag = "to_door"
	CallFirst        Tag = "call_first"
	NoCall           Tag = "no_call"
	MessageFirst     Tag = "message_first"
	LeaveAtDoorOK    Tag = "leave_at_door_ok"
	LockerOK         Tag = "locker_ok"
	PickupPointOK    Tag = "pickup_point_ok"
	NoDoorbell       Tag = "no_doorbell"
	EveningOnly      Tag = "evening_only"
	DaytimeOnly      Tag = "daytime_only"
	WeekendOnly      Tag = "weekend_only"
	NoWeekend        Tag = "no_weekend"
	SignInPerson     Tag = "sign_in_person"
	FamilyMaySign    Tag = "family_may_sign"
	FragileCare      Tag = "fragile_care"
	NoThrowing       Tag = "no_throwing"
	DogOrChildAtHome Tag = "dog_or_child_at_home"
	PhotoProof       Tag = "photo_proof"
)

// Tags lists the vocabulary in the order in which documents name it.
var Tags = []Tag{
	NoLocker, NoPickupPoint, ToDoor, CallFirst, NoCall, MessageFirst, LeaveAtDoorOK,
	LockerOK, PickupPointOK, NoDoorbell, EveningOnly, DaytimeOnly, WeekendOnly, NoWeekend,
	SignInPerson, FamilyMaySign, FragileCare, NoThrowing, DogOrChildAtHome, PhotoProof,
}

// tagCount is how many there are.
const tagCount = 20

// What is looked up of a tag for each piece of evidence, by its place in Tags.
var (
	tagNo   = map[Tag]int{}
	opposed [tagCount][]int // the places of its opposites
	newer   [tagCount]bool  // of it and its opposite the newer wins
)

func init() {
	for i, t := range Tags {
		tagNo[t] = i
	}
	for i, t := range Tags {
		newer[i] = t.newerWins()
		for _, o := range t.Opposites() {
			opposed[i] = append(opposed[i], tagNo[o])
		}
	}
}

// ParseTag gives the tag of a code. False means that the vocabulary has no such
// tag.
func ParseTag(code string) (Tag, bool) {
	t := Tag(code)
	return t, slices.Contains(Tags, t)
}

// IsPermission says whether t allows something that is forbidden without it.
// Learned, it is only asked about.
func (t Tag) IsPermission() bool {
	_, ok := t.Allows()
	return ok
}

// Allows is the kind of drop that a permission consents to.
func (t Tag) Allows() (ConsentKind, bool) {
	switch t {
	case LockerOK:
		return Locker, true
	case PickupPointOK:
		return PickupPoint, true
	case LeaveAtDoorOK:
		return Doorstep, true
	case FamilyMaySign:
		return Proxy, true
	}
	return "", false
}

// TellsAbsence says whether t gives away when nobody is home. Learned from
// text it stays a question until the consumer confirms it.
func (t Tag) TellsAbsence() bool {
	return t == EveningOnly || t == DaytimeOnly || t == WeekendOnly || t == NoWeekend
}

// ofPlace says whether t is true of a place rather than of a person: it holds
// where it was said and nowhere else.
func (t Tag) ofPlace() bool { return t == DogOrChildAtHome }

// MayLeaveInPush says whether t may pass through a push service. What tells
// when nobody, or who, is home is fetched by the app instead.
func (t Tag) MayLeaveInPush() bool { return !t.TellsAbsence() && t != DogOrChildAtHome }

// needsAnswer says whether t, when learned, waits for the consumer's word.
func (t Tag) needsAnswer() bool { return t.IsPermission() || t.TellsAbsence() }

// strictPairs hold a restriction and the permission that contradicts it: the
// restriction wins within a level.
var strictPairs = [][2]Tag{
	{NoLocker, LockerOK}, {NoPickupPoint, PickupPointOK},
	{SignInPerson, FamilyMaySign}, {SignInPerson, LeaveAtDoorOK},
}

// newerPairs hold wishes that contradict each other with neither stricter: the
// newer wins within a level.
var newerPairs = [][2]Tag{{NoCall, CallFirst}, {EveningOnly, DaytimeOnly}, {WeekendOnly, NoWeekend}}

// Opposites are the tags that t contradicts.
func (t Tag) Opposites() []Tag {
	var all []Tag
	for _, pairs := range [][][2]Tag{strictPairs, newerPairs} {
		for _, pair := range pairs {
			switch t {
			case pair[0]:
				all = append(all, pair[1])
			case pair[1]:
				all = append(all, pair[0])
			}
		}
	}
	return all
}

// newerWins says whether t belongs to a pair in which the newer wish wins.
func (t Tag) newerWins() bool {
	return slices.ContainsFunc(newerPairs, func(pair [2]Tag) bool { return pair[0] == t || pair[1] == t })
}
