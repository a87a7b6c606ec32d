package sink

import (
	"strings"

	"golang.org/x/text/language"

	"doorstep/prefs"
)

// words are what the page says, and what the app of a phone would carry: the
// texts behind the localisation keys and the tag codes. The server never sends
// those.
type words struct {
	Lang     string
	Name     string // of the language
	Title    string
	Lead     string
	Empty    string // no phone yet
	Try      string
	Pushes   string // before their number
	Buzzes   string // before their number
	Online   string
	Offline  string
	Waiting  string // before the number of messages that wait
	Dropped  string // too many waited, as the phone hears of it
	InTheApp string // what the app does about it
	More     string // alerts that are not shown, after their number
	Read     string // the button
	HasRead  string
	Live     string // the page is up to date by itself
	Lost     string // it is not
	NoScript string
	Texts    map[string]string
	Tags     map[prefs.Tag]string
}

// The languages of the page; the first is the default.
var (
	languages = language.NewMatcher([]language.Tag{language.SimplifiedChinese, language.English})
	speech    = []words{chinese, english}
)

// wordsFor picks the language that a reader chose or a browser asks for, the
// first of them that says anything.
func wordsFor(asked ...string) words {
	_, i := language.MatchStrings(languages, firstOf(asked...))
	return speech[i]
}

// Other are the words of the other language.
func (w words) Other() words {
	if w.Lang == english.Lang {
		return chinese
	}
	return english
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
	Lang:     "zh-CN",
	Name:     "中文",
	Title:    "快递员的手机",
	Lead:     "本地推送接收端：像 FCM 一样收下推送，再送到这些手机上。",
	Empty:    "还没有收到推送。",
	Try:      "发一条试试：",
	Pushes:   "推送",
	Buzzes:   "震动",
	Online:   "在线",
	Offline:  "离线",
	Waiting:  "等待上线",
	Dropped:  "积压的推送太多，已全部丢弃",
	InTheApp: "应用会重新读取全部提醒",
	More:     "件在应用内查看",
	Read:     "知道了",
	HasRead:  "已确认",
	Live:     "实时",
	Lost:     "连接中断，正在重连",
	NoScript: "页面需要 JavaScript 才能自动更新。",
	Texts: map[string]string{
		"push_digest_title": "派件前请看",
		"push_digest_body":  "%s 件包裹有收件人要求",
		"push_stop_title":   "下一站",
		"push_stop_body":    "收件人有要求，请先看一眼",
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
	Lang:     "en",
	Name:     "English",
	Title:    "The couriers’ phones",
	Lead:     "A local stand-in for FCM: it takes pushes as FCM does and brings them to these phones.",
	Empty:    "No push has arrived yet.",
	Try:      "Send one:",
	Pushes:   "pushes",
	Buzzes:   "buzzes",
	Online:   "online",
	Offline:  "offline",
	Waiting:  "waiting",
	Dropped:  "Too many pushes waited and were dropped",
	InTheApp: "The app fetches all alerts anew",
	More:     "more in the app",
	Read:     "Got it",
	HasRead:  "Acknowledged",
	Live:     "live",
	Lost:     "connection lost, trying again",
	NoScript: "The page needs JavaScript to stay up to date.",
	Texts: map[string]string{
		"push_digest_title": "Before you knock",
		"push_digest_body":  "Parcels with instructions: %s",
		"push_stop_title":   "Your next stop",
		"push_stop_body":    "It has instructions: have a look first",
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
