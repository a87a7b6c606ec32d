package people

import (
	"fmt"
	"math/rand/v2"
	"time"

	"doorstep"
	"doorstep/prefs"
)

// Town is who lives and works where.
type Town struct {
	Assumptions
	Zone      *time.Location
	Outlets   []Outlet
	Couriers  []Courier
	Consumers []Consumer
}

// Courier delivers for an outlet.
type Courier struct {
	ID     string
	Outlet int // its place in Town.Outlets
}

// Consumer is somebody who gets parcels. All are made up, the numbers above all.
type Consumer struct {
	Phone     string
	AddressID string
	Courier   int // whose round goes past the door: the place in Town.Couriers
	Wishes    []prefs.Tag
	Speaks    bool // complains at all
	Consents  bool // to lockers and pickup points, before the first parcel
}

// Parcel is one delivery with all its chances, which do not depend on what
// anybody is told.
type Parcel struct {
	Waybill  doorstep.Waybill
	Consumer int       // the place in Town.Consumers
	At       time.Time // of the handover
	Chances
}

// Chances are numbers in [0, 1), one for each thing that may happen to a parcel.
type Chances struct {
	Easy, Spot, Contact, Bell, Photo float64 // the courier's habits
	Reached, Seen, Followed, Refused float64
	Complains, Mishap, Wish, Words   float64
	Filed, Answer, Late              float64
	Verdict, Reacts, Second          float64
}

// start is the Monday on which every simulation begins.
const startYear, startMonth, startDay = 2026, time.March, 2

// New makes a town. The same assumptions make the same town.
func New(a Assumptions, zone *time.Location) *Town {
	t := &Town{Assumptions: a, Zone: zone}
	for o := range a.Outlets {
		t.Outlets = append(t.Outlets, newOutlet(o, a, zone))
		for c := range a.Couriers {
			t.Couriers = append(t.Couriers, Courier{ID: fmt.Sprintf("courier-%d-%d", o+1, c+1), Outlet: o})
		}
	}
	draw := t.draws(0)
	for c := range a.Consumers {
		t.Consumers = append(t.Consumers, Consumer{
			Phone: fmt.Sprintf("+8619900%06d", c), AddressID: fmt.Sprintf("a-%d", c), Courier: c % len(t.Couriers),
			Wishes: DrawWishes(a.Wishing, draw), Speaks: draw.Float64() < a.Speaking, Consents: draw.Float64() < a.Consent,
		})
	}
	return t
}

// draws is the chance of one day; 0 is before the first.
func (t *Town) draws(day int) *rand.Rand { return rand.New(rand.NewPCG(t.Seed, uint64(day))) }

// Midnight is when a day begins; the first is 0.
func (t *Town) Midnight(day int) time.Time {
	return time.Date(startYear, startMonth, startDay+day, 0, 0, 0, 0, t.Zone)
}

// Hours of a courier's round.
const roundBegins, roundHours = 9 * time.Hour, 9

// ParcelsOf are the parcels that go out on a day, by consumer.
func (t *Town) ParcelsOf(day int) (list []Parcel) {
	draw := t.draws(day + 1)
	for c := range t.Consumers {
		if draw.Float64() >= t.Parcels {
			continue
		}
		p := Parcel{
			Waybill: doorstep.Waybill(fmt.Sprintf("SF%04d%06d", day, c)), Consumer: c,
			At: t.Midnight(day).Add(roundBegins + hours(roundHours*draw.Float64())),
		}
		for _, chance := range []*float64{
			&p.Easy, &p.Spot, &p.Contact, &p.Bell, &p.Photo, &p.Reached, &p.Seen, &p.Followed, &p.Refused, &p.Complains, &p.Mishap,
			&p.Wish, &p.Words, &p.Filed, &p.Answer, &p.Late, &p.Verdict, &p.Reacts, &p.Second,
		} {
			*chance = draw.Float64()
		}
		list = append(list, p)
	}
	return list
}

// hours is a duration in whole seconds.
func hours(h float64) time.Duration {
	return time.Duration(h * float64(time.Hour)).Truncate(time.Second)
}
