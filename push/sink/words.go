package sink

import (
	"strings"

	"golang.org/x/text/language"

	"doorstep/prefs"
)

// words are what the app of a phone would carry: the texts behind the
// localisation keys and the tag codes. The server never sends them.
type words struct {
	Lang    string
	Heading string
	Empty   string // no phone yet
	Total   string
	More    string // alerts that did not fit, after their number
	Texts   map[string]string
	Tags    map[prefs.Tag]string
}

// The languages of the page; the first is the default.
var (
	languages = language.NewMatcher([]language.Tag{language.SimplifiedChinese, language.English})
	speech    = []words{chinese, english}
)

// wordsFor picks the language that a browser asks for.
func wordsFor(acceptLanguage string) words {
	_, i := language.MatchStrings(languages, acceptLanguage)
	return speech[i]
}

// text renders a localisation key. A key that the app would not know shows as
// itself.
func (w words) text(key string, args []string) string {
	s, ok := w.Texts[key]
	if !ok {
		return strings.TrimSpace(key + " " + strings.Join(args, " "))
	}
	for _, arg := range args {
		s = strings.Replace(s, "%s", arg, 1)
	}
	return s
}

// tag renders a tag code; an unknown one shows as itself.
func (w words) tag(code prefs.Tag) string {
	if s, ok := w.Tags[code]; ok {
		return s
	}
	return string(code)
}

var chinese = words{
	Lang:    "zh-CN",
	Heading: "推送接收端",
	Empty:   "还没有收到推送。",
	Total:   "收到推送",
	More:    "件在应用内查看",
	Texts: map[string]string{
		"push_digest_title": "派件前请看",
		"push_digest_body":  "%s 件包裹有收件人要求",
	},
	Tags: map[prefs.Tag]string{
		prefs.NoLocker:         "不放快递柜",
		prefs.NoPickupPoint:    "不放驿站",
		prefs.ToDoor:           "送货上门",
		prefs.CallFirst:        "先打电话",
		prefs.NoCall:           "不要打电话",
		prefs.MessageFirst:     "先发短信",
		prefs.LeaveAtDoorOK:    "可放门口",
		prefs.LockerOK:         "可放快递柜",
		prefs.PickupPointOK:    "可放驿站",
		prefs.NoDoorbell:       "不按门铃",
		prefs.EveningOnly:      "只在晚上送",
		prefs.DaytimeOnly:      "只在白天送",
		prefs.WeekendOnly:      "只在周末送",
		prefs.NoWeekend:        "周末不送",
		prefs.SignInPerson:     "本人签收",
		prefs.FamilyMaySign:    "家人可代收",
		prefs.FragileCare:      "易碎轻放",
		prefs.NoThrowing:       "不要抛扔",
		prefs.DogOrChildAtHome: "家有宠物或小孩",
		prefs.PhotoProof:       "拍照留证",
	},
}

var english = words{
	Lang:    "en",
	Heading: "Push sink",
	Empty:   "No push has arrived yet.",
	Total:   "pushes received",
	More:    "more in the app",
	Texts: map[string]string{
		"push_digest_title": "Before you knock",
		"push_digest_body":  "Parcels with instructions: %s",
	},
	Tags: map[prefs.Tag]string{
		prefs.NoLocker:         "no locker",
		prefs.NoPickupPoint:    "no pickup point",
		prefs.ToDoor:           "bring to the door",
		prefs.CallFirst:        "call first",
		prefs.NoCall:           "do not call",
		prefs.MessageFirst:     "send a message first",
		prefs.LeaveAtDoorOK:    "may be left at the door",
		prefs.LockerOK:         "locker is fine",
		prefs.PickupPointOK:    "pickup point is fine",
		prefs.NoDoorbell:       "do not ring",
		prefs.EveningOnly:      "evenings only",
		prefs.DaytimeOnly:      "daytime only",
		prefs.WeekendOnly:      "weekends only",
		prefs.NoWeekend:        "not at weekends",
		prefs.SignInPerson:     "signs in person",
		prefs.FamilyMaySign:    "family may sign",
		prefs.FragileCare:      "fragile",
		prefs.NoThrowing:       "do not throw",
		prefs.DogOrChildAtHome: "dog or child at home",
		prefs.PhotoProof:       "photo as proof",
	},
}
