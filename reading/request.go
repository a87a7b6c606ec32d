package reading

import "strings"

// Most people ask without a word of asking: "call me first", "送到五楼". Such a
// bare request is a stretch that opens with its verb and holds nothing but what
// requests are made of. Anything else, such as a word of reproach or a trouble,
// may make a story of it.

// mayBeAsked: what a bare request may be about.
var mayBeAsked = conceptSet(cToDoor, cDoor, cSpot, cCall, cMessage, cPhoto, cHandover, cInPerson,
	cEvening, cDaytime, cWeekend, cWeekday)

// inRequest: what else may stand in a bare request.
var inRequest = conceptSet(cAnd, cOr, cThen, cInstead, cBefore, cFuture, cOnly, cWant, cWantish, cSelf, cOwn,
	cParcel, cPut, cDeliver, cDelivered, cFamily, cDownstairs, cHome, cYou, cSign, cBa, cBe)

// openers may stand before the first known word of a bare request.
var openers = wordSet("also just so kindly then instead take snap hand a an the 另外 也 还 并 顺便 那 那就 就 快 到 " +
	"一 二 三 1 2 3 send give drop get make 给 发")

// givers are the openers after which "me" is no subject.
var givers = wordSet("send give drop get make 给 发")

func wordSet(words string) map[string]bool {
	set := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// isRequest reports whether hit i stands in a bare request of c.
func isRequest(text []rune, c *clause, i int) bool {
	topic := c.hits[i].concept
	if !mayBeAsked[topic] || isNoun(text, c.hits[i]) && !endsRequest(text, c, i) {
		return false
	}
	first, start := stretch(c, i)
	for k, h := range untilAnd(c.hits[first:]) {
		if h.concept == cNeg && first+k > i {
			break // "送到门口别放大堂"
		}
		if !inRequest[h.concept] && !mayBeAsked[h.concept] {
			return false
		}
	}
	before := strings.Fields(string(text[start:c.hits[first].start]))
	for _, w := range before {
		if !openers[w] {
			return false
		}
	}
	switch c.hits[first].concept { // a subject, or the end of something told
	case cOwn, cYou, cFamily, cHome, cDelivered, cDoor:
		return false
	case cSelf:
		if len(before) == 0 || !givers[before[len(before)-1]] {
			return false
		}
	case cParcel:
		if isLatin(text[c.hits[first].start]) {
			return false // "包裹送上楼" asks, "parcel to my flat" does not
		}
	case cDownstairs:
		if len(before) == 0 {
			return false
		}
	}
	within := c.hits[first : i+1]
	switch topic {
	case cHandover:
		return i+1 == len(c.hits) || c.hits[i+1].concept != cCall && c.hits[i+1].concept != cMessage // "call my wife"
	case cInPerson:
		return len(c.hits) == 1 && strings.ContainsAny(string(text[c.hits[i].start:c.hits[i].end]), "签收") // "本人签收"
	case cDoor, cSpot:
		return firstOf(within, cPut, cDeliver) >= 0
	case cEvening, cDaytime, cWeekend, cWeekday:
		return firstOf(c.hits[first:], cDeliver) >= 0
	}
	return true
}

// endsRequest reports whether a noun closes its clause after "before", as in
// "提前电话".
func endsRequest(text []rune, c *clause, i int) bool {
	end := c.hits[i].end
	return i > 0 && c.hits[i-1].concept == cBefore && !isLatin(text[end-1]) && (end == len(text) || isBreak(text, end))
}

// stretch gives the first hit of the part of c in which hit i stands, and where
// that part begins: "and" opens a new one.
func stretch(c *clause, i int) (first, start int) {
	start = c.start
	for k := range i {
		if c.hits[k].concept == cAnd {
			first, start = k+1, c.hits[k].end
		}
	}
	return first, start
}

// untilAnd cuts hits before the next "and".
func untilAnd(hits []hit) []hit {
	if k := firstOf(hits, cAnd); k >= 0 {
		return hits[:k]
	}
	return hits
}

// nouns name a call or a message and ask for none. Their English plurals and
// other forms are told by their endings.
var nouns = wordSet("电话 来电 通话 手机响 短信 微信 信息 消息 文字 讯息 短讯 简讯 留言 照片 图片 相片")

func isNoun(text []rune, h hit) bool {
	switch h.concept {
	case cCall, cMessage, cPhoto:
		word := string(text[h.start:h.end])
		return nouns[word] || strings.HasSuffix(word, "ed") || !single(text, h)
	}
	return false
}
