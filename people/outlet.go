package people

import (
	"fmt"
	"math"
	"time"
)

// Outlet has couriers, and a handler who answers complaints.
type Outlet struct {
	ID    string
	Habit float64 // how often its couriers take the easy way
	zone  *time.Location
	mean  float64 // opening hours to an answer
	late  float64
}

// The outlet's hours, every day.
const Opens, Closes = 8, 20

// The easy way is taken for 20 to 60 % of parcels, by habit of the outlet: a
// guess, the same as the backtest's town makes.
const leastHabit, mostHabit = 0.2, 0.6

func newOutlet(n int, a Assumptions, zone *time.Location) Outlet {
	habit := (leastHabit + mostHabit) / 2
	if a.Outlets > 1 {
		habit = leastHabit + (mostHabit-leastHabit)*float64(n)/float64(a.Outlets-1)
	}
	return Outlet{ID: fmt.Sprintf("outlet-%d", n+1), Habit: habit, zone: zone, mean: a.AnswerHours, late: a.Late}
}

// AnswersAt is when the outlet answers what it got at a time. chance and late
// are numbers in [0, 1).
func (o Outlet) AnswersAt(got time.Time, chance, late float64) time.Time {
	if late < o.late {
		got = got.Add(24 * time.Hour)
	}
	work := hours(-o.mean * math.Log(1-chance))
	for at := got.In(o.zone); ; {
		y, m, d := at.Date()
		opens, closes := time.Date(y, m, d, Opens, 0, 0, 0, o.zone), time.Date(y, m, d, Closes, 0, 0, 0, o.zone)
		if at.Before(opens) {
			at = opens
		}
		if end := at.Add(work); at.Before(closes) && !end.After(closes) {
			return end
		}
		work -= max(0, closes.Sub(at))
		at = time.Date(y, m, d+1, 0, 0, 0, 0, o.zone)
	}
}
