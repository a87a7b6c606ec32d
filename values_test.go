package doorstep_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"doorstep"
)

func TestAWaybillIsTrimmedAndUpperCased(t *testing.T) {
	for raw, want := range map[string]string{
		" sf-123abc ":           "SF-123ABC",
		"1":                     "1",
		strings.Repeat("A", 64): strings.Repeat("A", 64),
		"":                      "",
		"   ":                   "",
		strings.Repeat("A", 65): "",
		"SF 1":                  "",
		"SF\x001":               "",
		"ＳＦ１":                   "",
		"SF_1":                  "",
	} {
		got, err := doorstep.ParseWaybill(raw)
		require.Equal(t, doorstep.Waybill(want), got, raw)
		if want == "" {
			require.ErrorIs(t, err, doorstep.ErrInvalid, raw)
		} else {
			require.NoError(t, err)
		}
	}
	require.Equal(t, "3ABC", doorstep.Waybill("SF-123ABC").LastFour())
	require.Equal(t, "1", doorstep.Waybill("1").LastFour())
}

func TestOneNumberWrittenManyWaysIsOnePhone(t *testing.T) {
	for _, raw := range []string{"13800138000", "+86 138 0013 8000", "+8613800138000", "008613800138000", "138-0013-8000"} {
		got, err := doorstep.ParsePhone(raw)
		require.NoError(t, err, raw)
		require.Equal(t, doorstep.Phone("+8613800138000"), got, raw)
	}
	for _, raw := range []string{"", "12345678901234567890", "call me", "１２", strings.Repeat("1", 10_000), "+"} {
		_, err := doorstep.ParsePhone(raw)
		require.ErrorIs(t, err, doorstep.ErrInvalid, raw)
	}
}

// The short way for the usual spelling must give what the general parser gives:
// a space sends the same number the long way.
func TestTheUsualSpellingIsReadAsAnyOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`1[2-9][0-9]{8,10}`).Draw(t, "digits")
		for _, prefix := range []string{"", "+86"} {
			short, shortErr := doorstep.ParsePhone(prefix + digits)
			long, longErr := doorstep.ParsePhone(prefix + digits[:3] + " " + digits[3:])
			require.Equal(t, long, short)
			require.Equal(t, longErr == nil, shortErr == nil)
		}
	})
}

func TestAPhoneIsMaskedInLogs(t *testing.T) {
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "phone", doorstep.Phone("+8613800138000"))
	require.NotContains(t, out.String(), "0013")
	require.Equal(t, "138******00", doorstep.Phone("+8613800138000").Masked())
}

func TestAnIDSaysItsOutlet(t *testing.T) {
	for _, outlet := range []doorstep.OutletNo{1, 35, 36, 1 << 40} {
		got, ok := doorstep.OutletOf(doorstep.MakeID(outlet))
		require.True(t, ok)
		require.Equal(t, outlet, got)
	}
	const u = "0192f0c1-2d3e-7a4b-8c5d-6e7f8091a2b3"
	for _, id := range []string{"", "7k", "7k-", "-" + u, "0-" + u, "A-" + u, "01-" + u, "zzzzzzzzzzzzzzzzzz-" + u, "7k\x00-" + u, "7k-" + u + "\x00", "7k-x"} {
		_, ok := doorstep.OutletOf(id)
		require.False(t, ok, id)
	}
}

func TestTextsAreBoundedAndWithoutControlCharacters(t *testing.T) {
	got, err := doorstep.CheckText("  放门口\n谢谢\t ", 1, 10)
	require.NoError(t, err)
	require.Equal(t, "放门口\n谢谢", got)
	for _, bad := range []string{"", "  ", strings.Repeat("啊", 11), "a\x00b", "a\x1bb", "a\u0085b"} {
		_, err := doorstep.CheckText(bad, 1, 10)
		require.ErrorIs(t, err, doorstep.ErrInvalid, bad)
	}
	_, err = doorstep.CheckID("a\nb")
	require.ErrorIs(t, err, doorstep.ErrInvalid)
}

func TestATimeThatNoWorkingClockSaysIsRefused(t *testing.T) {
	now := time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)
	for text, good := range map[string]bool{
		"2026-03-02T09:00:00+08:00": true,
		"2015-01-01T00:00:00Z":      true,
		"2014-12-31T23:59:59Z":      false,
		"2026-03-03T01:00:00Z":      true,
		"2026-03-03T01:00:01Z":      false,
		"1970-01-01T00:00:00Z":      false,
		"yesterday":                 false,
		"":                          false,
	} {
		var checks doorstep.Checks
		at := doorstep.ParseEventTime("/at", text, now, &checks)
		require.Equal(t, good, checks.Err() == nil, text)
		require.Equal(t, good, !at.IsZero(), text)
	}
}

func TestEveryBadFieldIsNamed(t *testing.T) {
	var inner, outer doorstep.Checks
	inner.Add("/phone", "invalid_phone", "x")
	outer.Under("/consignee", inner.Err())
	outer.Under("/name", nil)
	outer.Add("/waybill", "invalid_waybill", "x")
	var invalid *doorstep.InvalidError
	require.ErrorAs(t, outer.Err(), &invalid)
	require.Equal(t, "/consignee/phone", invalid.Fields[0].Pointer)
	require.Len(t, invalid.Fields, 2)
}
