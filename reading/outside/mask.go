package outside

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"doorstep/complaints"
)

// What stands in place of what was masked.
const (
	maskedNumber  = "[number]"
	maskedName    = "[name]"
	maskedAddress = "[address]"
	maskedLink    = "[link]"
)

// stretch is a part of a text, in runes, and what stands in its place.
type stretch struct {
	start, end int
	mask       string
}

// Mask hides telephone numbers, waybills and every other long number, e-mail
// addresses and links, and what reads like a name or an address; and of the name,
// address, phone and waybill of those who are known every spelling that differs
// in case, width, spaces and punctuation only. It rather hides too much. A name
// that nobody introduces and that is nobody's who is known is not recognised.
func Mask(text string, known ...complaints.Party) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	runes := []rune(text)
	var found []stretch
	found = append(found, numbers(runes)...)
	found = append(found, patterned(text)...)
	s := skeletonOf(runes)
	for _, k := range known {
		for _, number := range []string{string(k.Phone), strings.TrimPrefix(string(k.Phone), "+86"), string(k.Waybill)} {
			found = append(found, s.literal(number, shortestNumber, maskedNumber)...)
		}
		found = append(found, s.name(k.Name)...)
		found = append(found, s.address(k.Address)...)
	}
	return replaced(runes, found)
}

// shortestNumber is how many letters and digits a known phone or waybill needs to
// be looked for: shorter ones would hide half of what is said.
const shortestNumber = 4

// replaced puts the masks in. Stretches that overlap or touch are one, under the
// mask of the first.
func replaced(runes []rune, found []stretch) string {
	slices.SortStableFunc(found, func(a, b stretch) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end)) })
	var out strings.Builder
	at := 0
	for i := 0; i < len(found); {
		f := found[i]
		for i++; i < len(found) && found[i].start <= f.end; i++ {
			f.end = max(f.end, found[i].end)
		}
		out.WriteString(string(runes[at:f.start]))
		out.WriteString(f.mask)
		at = f.end
	}
	out.WriteString(string(runes[at:]))
	return out.String()
}

// A run of digits is masked from threeDigits in a row, from fiveDigits with
// separators between them, and from sixNumerals written in Chinese. Times of day
// and small amounts stay.
const (
	threeDigits = 3
	fiveDigits  = 5
	sixNumerals = 6
	longestGap  = 2 // separators between two digits
)

const numerals = "零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两"

// isDigit knows the digits of every script, and the circled ones.
func isDigit(r rune) bool { return unicode.Is(unicode.Nd, r) || unicode.Is(unicode.No, r) }

func isGap(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Pd, r) ||
		strings.ContainsRune(".·()（）+/_*,，、~～", r)
}

// numbers finds runs of digits, with the Latin letters and hyphens that make one
// code with them, as in a waybill.
func numbers(runes []rune) (found []stretch) {
	for i := 0; i < len(runes); i++ {
		switch {
		case isDigit(runes[i]):
			end, digits, row := digitRun(runes, i)
			if digits >= fiveDigits || row >= threeDigits {
				start, stop := codeAround(runes, i, end)
				found = append(found, stretch{start, stop, maskedNumber})
				end = stop
			}
			i = end - 1
		case strings.ContainsRune(numerals, runes[i]):
			end := i
			for end < len(runes) && (strings.ContainsRune(numerals, runes[end]) || isGap(runes[end])) {
				end++
			}
			n := 0
			for _, r := range runes[i:end] {
				if !isGap(r) {
					n++
				}
			}
			if n >= sixNumerals {
				found = append(found, stretch{i, end, maskedNumber})
			}
			i = end - 1
		}
	}
	return found
}

// digitRun reads digits from i on: where they end, how many there are, and the
// longest row without a visible separator.
func digitRun(runes []rune, i int) (end, digits, longest int) {
	row, gap := 0, 0
	for k := i; k < len(runes); k++ {
		switch r := runes[k]; {
		case isDigit(r):
			digits, row, gap, end = digits+1, row+1, 0, k+1
			longest = max(longest, row)
		case unicode.Is(unicode.Cf, r): // invisible: parts nothing
		case isGap(r) && gap < longestGap:
			gap++
			row = 0
		default:
			return end, digits, longest
		}
	}
	return end, digits, longest
}

// codeAround widens a stretch over the ASCII letters, digits and hyphens that
// touch it.
func codeAround(runes []rune, start, end int) (int, int) {
	inCode := func(r rune) bool {
		r = folded(r)
		return r == '-' || r >= 'a' && r <= 'z' || isDigit(r)
	}
	for start > 0 && inCode(runes[start-1]) {
		start--
	}
	for end < len(runes) && inCode(runes[end]) {
		end++
	}
	return start, end
}

// surnames are those that nine in ten Chinese have.
const surnames = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林罗高梁郑谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤" +
	"張劉陳楊黃趙吳孫馬羅鄭謝許韓馮鄧葉蘇呂盧鍾譚陸範賈韋鄒龍賀顧龔萬錢嚴湯"

var patterns = []struct {
	form *regexp.Regexp // the first group is what is hidden, or all
	mask string
}{
	{regexp.MustCompile(`[\w.+-]+@[\w-]+(?:\.[\w-]+)+`), maskedLink},
	{regexp.MustCompile(`(?i)\b(?:https?://|www\.)[^\s\p{Han}]+`), maskedLink},
	{regexp.MustCompile(`(?i)(?:微信号?|wechat|qq|whatsapp|telegram)\s*(?:号|是|id)?\s*[:：是]?\s*([a-z][\w-]{4,})`), maskedLink},
	{regexp.MustCompile(`(?:我叫|名叫|名字[是叫:：]|姓名[是为:：]?|收件人[是叫为:：])\s*(\p{Han}{2,4}|[A-Z][\p{L}'’-]+(?: [A-Z][\p{L}'’-]+)?)`), maskedName},
	{regexp.MustCompile(`[` + surnames + `](?:先生|女士|小姐|太太|师傅|師傅|阿姨|叔叔|老师|老師|经理|經理|站长|站長)`), maskedName},
	{regexp.MustCompile(`\b(?:Mr|Mrs|Ms|Miss|Mx|Dr)\.?\s+([A-Z][\p{L}'’-]+(?:\s+[A-Z][\p{L}'’-]+)?)`), maskedName},
	{regexp.MustCompile(`(?i:\bmy name is|\bmy name's|\bi am called|\bi'm called|\bname:)\s+(\p{L}[\p{L}'’-]+(?:\s+\p{Lu}[\p{L}'’-]+)?)`), maskedName},
	{regexp.MustCompile(`\p{Han}{2,4}(?:路|街|大道|巷|弄|胡同)\s*[0-9０-９一二三四五六七八九十百]+\s*(?:号|號|弄)?`), maskedAddress},
	{regexp.MustCompile(`[0-9０-９一二三四五六七八九十]+\s*(?:号楼|號樓|栋|棟|幢|座|单元|單元|室|号院|弄|号|號)`), maskedAddress},
	{regexp.MustCompile(`\b[0-9]+[A-Za-z]?,?\s+(?:[A-Z][\w'’]*\s+){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Close|Court|Ct|Way|Place|Pl|Terrace|Crescent|Boulevard|Blvd)\b\.?`), maskedAddress},
	{regexp.MustCompile(`(?i)\b(?:flat|apt|apartment|unit|room|suite|block|blk)\.?\s*#?\s*[0-9]+\w*`), maskedAddress},
}

func patterned(text string) (found []stretch) {
	for _, p := range patterns {
		for _, m := range p.form.FindAllStringSubmatchIndex(text, -1) {
			start, end := m[0], m[1]
			if len(m) > 2 && m[2] >= 0 {
				start, end = m[2], m[3]
			}
			from := utf8.RuneCountInString(text[:start])
			found = append(found, stretch{from, from + utf8.RuneCountInString(text[start:end]), p.mask})
		}
	}
	return found
}
