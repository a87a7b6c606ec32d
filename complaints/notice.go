package complaints

import "time"

// Audience says whom a notice is for.
type Audience string

// The audiences, in the order in which a clock reaches them. The handler is
// whoever at the outlet has taken the complaint up; manager and owner read at the
// outlet too, headquarters for the whole company.
const (
	ToCourier Audience = "courier"
	ToHandler Audience = "handler"
	ToManager Audience = "manager"
	ToOwner   Audience = "owner"
	ToHQ      Audience = "hq"
)

// Audiences lists them.
var Audiences = []Audience{ToCourier, ToHandler, ToManager, ToOwner, ToHQ}

// Level is a share of a clock at which people are told, each level others.
type Level struct {
	Percent int
	To      []Audience
}

// Levels are the warnings of a clock and, at 100, its breach.
var Levels = []Level{
	{50, []Audience{ToCourier, ToHandler}},
	{75, []Audience{ToManager}},
	{90, []Audience{ToOwner}},
	{100, []Audience{ToHQ}},
}

// Notice tells somebody that a complaint's clock has come so far. It is never for
// the consumer.
type Notice struct {
	To      Audience
	Period  int
	Clock   ClockName
	Percent int
	DueAt   time.Time
	At      time.Time
}

// NoticeQuery pages through notices. Zero fields do not narrow.
type NoticeQuery struct {
	Audience Audience
	BeforeMS int64 // with BeforeID: where the page before this one ended
	BeforeID string
	Limit    int
}

// NoticeItem is a notice as it is read.
type NoticeItem struct {
	Notice
	ID          string
	ComplaintID string
	OutletID    string
}
