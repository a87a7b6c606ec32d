package outside_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/complaints"
	"doorstep/reading/outside"
)

func TestNumbersOfEveryKindAreHidden(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"打我电话13812345678就行", "打我电话[number]就行"},
		{"打138 1234 5678", "打[number]"},
		{"打138-1234-5678。", "打[number]。"},
		{"１３８１２３４５６７８谁打的", "[number]谁打的"},
		{"1\u200b3\u200b8\u200b1234", "[number]"},
		{"座机(010)6552 9988分机", "座机([number]分机"},
		{"幺三八一二三四五六七八", "[number]"},
		{"call +44 20 7946 0958 please", "call +[number] please"},
		{"waybill SF1234567890123 is lost", "waybill [number] is lost"},
		{"waybill sf-30-000-5206?", "waybill [number]?"},
		{"取件码 4-2-5013", "取件码 [number]"},
		{"٠١٢٣٤٥٦٧", "[number]"},
		{"晚上6点到8点半才在家，18:30也行", "晚上6点到8点半才在家，18:30也行"},
		{"waited 45 minutes, paid 12 yuan", "waited 45 minutes, paid 12 yuan"},
		{"mail anna.smith+x@mail.example or https://x.example/p/abc?d=1", "mail [link] or [link]"},
		{"微信号：anna_1988xx 加我", "微信号：[link] 加我"},
	} {
		require.Equal(t, tt.want, outside.Mask(tt.text), tt.text)
	}
}

func TestNamesAndAddressesThatShowAreHidden(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"我叫欧阳小明，别放柜子", "我叫[name]，别放柜子"},
		{"找王女士", "找[name]"},
		{"I am Mrs Holloway, leave it", "I am Mrs [name], leave it"},
		{"my name is Anna Kowalska and I wait", "my name is [name] and I wait"},
		{"送到中山路12号", "[address]"},
		{"在3号楼2单元楼下", "在[address]楼下"},
		{"brought to 12 Green Hill Road instead", "brought to [address] instead"},
		{"it is Flat 4B, not 4A", "it is [address], not 4A"},
		{"不要放快递柜，请送货上门", "不要放快递柜，请送货上门"},
		{"Left in the street again, at the front door!", "Left in the street again, at the front door!"},
	} {
		require.Equal(t, tt.want, outside.Mask(tt.text), tt.text)
	}
}

func TestWhatIsKnownOfTheConsigneeIsHiddenHoweverItIsWritten(t *testing.T) {
	anna := complaints.Party{Phone: "+441632960001", Name: "Anna O'Leary-Smith", Address: "Flat 3, Rosebank House, Larchfield Street", Waybill: "AB-CDE-FG"}
	zhang := complaints.Party{Phone: "+8613800000001", Name: "张晓梅", Address: "滨江区长河街道星光国际花园7幢1203室", Waybill: "SF1"}
	for _, tt := range []struct {
		known complaints.Party
		text  string
		want  string
	}{
		{anna, "ANNA O LEARY SMITH wants it", "[name] wants it"},
		{anna, "Dear anna, your Leary friend", "Dear [name], your [name] friend"},
		{anna, "Hannah annals", "Hannah annals"},
		{anna, "at rosebank, not larchfield street", "at [address], not [address] street"},
		{anna, "my parcel abcdefg", "my parcel [number]"},
		{zhang, "我是张 晓 梅本人", "我是[name]本人"},
		{zhang, "晓梅不在家，张女士也不在", "[name]不在家，[name]也不在"},
		{zhang, "送到星光国际花园门口", "送到[address]门口"},
		{zhang, "长河街道的", "[address]的"},
		{zhang, "打 138 0000 0001", "打 [number]"},
		{complaints.Party{}, "别放柜子", "别放柜子"},
		{complaints.Party{Name: " ", Address: "，"}, "别放柜子", "别放柜子"},
	} {
		require.Equal(t, tt.want, outside.Mask(tt.text, tt.known), tt.text)
	}
	require.Equal(t, "[name] and [name]", outside.Mask("Anna and Bertram", anna, complaints.Party{Name: "Bertram"}), "of all who are known")
}

// letters is a text without what parts its letters and digits.
func letters(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}

// pieces are what stands between the masks.
func pieces(masked string) []string {
	return strings.FieldsFunc(strings.NewReplacer("[number]", "\x00", "[name]", "\x00", "[address]", "\x00", "[link]", "\x00").Replace(masked),
		func(r rune) bool { return r == 0 })
}

func FuzzNothingKnownAndNoLongNumberIsLeft(f *testing.F) {
	f.Add("张晓梅的电话13812345678，长河街道星光国际花园7幢", "张晓梅", "长河街道星光国际花园", "13812345678")
	f.Add("call ANNA at +44 20 7946 0958", "Anna Kowalska", "12 Rosebank House", "+442079460958")
	f.Add("1[number]23[name]456", "number", "name", "SF123")
	f.Add("１\u200b２３\xff４５６７", "", "", "")
	f.Add("İ i̇ ſ K", "İK", "Kelvin ſtraße", "ǅ")
	f.Fuzz(func(t *testing.T, text, name, address, number string) {
		text = strings.ReplaceAll(text, "\x00", "")
		known := complaints.Party{Name: name, Address: address, Waybill: doorstep.Waybill(number)}
		masked := outside.Mask(text, known)
		require.True(t, utf8.ValidString(masked))
		require.LessOrEqual(t, len(masked), 16*len(text)+16)
		for _, piece := range pieces(masked) {
			row := 0
			for _, r := range piece {
				if unicode.IsDigit(r) {
					row++
				} else if !unicode.Is(unicode.Cf, r) {
					row = 0
				}
				require.Less(t, row, 3, "%q", masked)
			}
			// Han has no words: a known name must not be left anywhere.
			if n := []rune(letters(name)); len(n) >= 2 && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.Is(unicode.Han, r) }) {
				require.NotContains(t, letters(piece), string(n))
			}
		}
	})
}
