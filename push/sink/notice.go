package sink

import (
	"encoding/json"
	"strings"

	"doorstep/prefs"
)

// notice is the part of a message that a phone reads. A field of another shape
// than our app's is left empty: this is for looking at, and the sink has other
// guests.
type notice struct {
	Notification *notification `json:"notification"`
	Android      struct {
		Priority     string        `json:"priority"`
		Notification *notification `json:"notification"` // wins over the other
	} `json:"android"`
	Data struct {
		Alerts string `json:"alerts"` // JSON text, see alert
		More   string `json:"more"`
		Kind   string `json:"kind"`
	} `json:"data"`

	alerts []alert
}

// notification has the fields of either place; the localisation keys and the tag
// are Android's only.
type notification struct {
	Title       string   `json:"title"`
	Body        string   `json:"body"`
	TitleLocKey string   `json:"title_loc_key"`
	BodyLocKey  string   `json:"body_loc_key"`
	BodyLocArgs []string `json:"body_loc_args"`
	Tag         string   `json:"tag"`
}

// alert is one parcel that differs from the default.
type alert struct {
	ID      string      `json:"id"`
	Waybill string      `json:"w"` // its last four characters
	Tags    []prefs.Tag `json:"t"`
}

func readNotice(message json.RawMessage) notice {
	var n notice
	_ = json.Unmarshal(message, &n) // see notice
	n.readWebPush(message)
	_ = json.Unmarshal([]byte(n.Data.Alerts), &n.alerts) // see notice
	return n
}

// visible says whether the phone shows a banner.
func (n notice) visible() bool { return n.Notification != nil || n.Android.Notification != nil }

// tag names the banner that this one replaces; empty: none.
func (n notice) tag() string { return n.android().Tag }

// loud says that the push wakes a sleeping phone.
func (n notice) loud() bool { return strings.EqualFold(n.Android.Priority, "high") }

func (n notice) alertIDs() []string {
	var ids []string
	for _, a := range n.alerts {
		if a.ID != "" {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

// title is what stands above: text as it came, or a key in the app's words.
func (n notice) title(w words) string {
	a := n.android()
	return firstOf(a.Title, w.text(a.TitleLocKey, nil), n.plain().Title)
}

// body is what stands below the title.
func (n notice) body(w words) string {
	a := n.android()
	return firstOf(a.Body, w.text(a.BodyLocKey, a.BodyLocArgs), n.plain().Body)
}

func (n notice) android() notification { return orNone(n.Android.Notification) }

func (n notice) plain() notification { return orNone(n.Notification) }

func orNone(n *notification) notification {
	if n == nil {
		return notification{}
	}
	return *n
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
