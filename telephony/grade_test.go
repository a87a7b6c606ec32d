package telephony_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/evidence"
	"doorstep/telephony"
)

func policy(t require.TestingT) telephony.Policy {
	p, err := telephony.LoadPolicy()
	require.NoError(t, err)
	return p
}

func TestGradesAtTheirBoundaries(t *testing.T) {
	const no, yes, unknown = evidence.False, evidence.True, evidence.Unknown
	talked := func(s int) telephony.Call {
		return telephony.Call{State: telephony.Ended, RingAt: at(0), AnsweredAt: at(5), EndedAt: at(5 + s), Rang: yes}
	}
	twilio := func(form string) telephony.Event { return one(t, telephony.Twilio, form) }
	rang := func(s int, by telephony.Party) telephony.Call {
		return telephony.Call{State: telephony.NoAnswer, RingAt: at(0), EndedAt: at(s), EndedBy: by, Rang: yes}
	}
	for name, c := range map[string]struct {
		call          telephony.Call
		grade         telephony.Grade
		genuine, fair evidence.Truth
	}{
		"talk of 10 s":                     {talked(10), telephony.Connected, yes, yes},
		"talk of 9 s":                      {talked(9), telephony.BrieflySpoken, yes, yes},
		"still talking":                    {telephony.Call{State: telephony.Answered, AnsweredAt: at(0), Rang: yes}, telephony.BrieflySpoken, yes, yes},
		"ring of 15 s":                     {rang(15, telephony.Courier), telephony.Rang, yes, yes},
		"ring of 14 s":                     {rang(14, telephony.Courier), telephony.BrieflyRang, no, yes},
		"ring of 12 s":                     {rang(12, telephony.Courier), telephony.BrieflyRang, no, yes},
		"ring of 11 s cut by the courier":  {rang(11, telephony.Courier), telephony.BrieflyRang, no, no},
		"ring of 11 s cut by the consumer": {rang(11, telephony.Consumer), telephony.BrieflyRang, no, yes},
		"ring of 4 s that Twilio calls canceled": {telephony.FoldCall([]telephony.Event{
			twilio("CallSid=CA1&CallStatus=ringing&SequenceNumber=1&Timestamp=Mon%2C+02+Mar+2026+04%3A00%3A00+%2B0000"),
			twilio("CallSid=CA1&CallStatus=canceled&SequenceNumber=2&Timestamp=Mon%2C+02+Mar+2026+04%3A00%3A04+%2B0000"),
		}), telephony.BrieflyRang, no, no},
		"ring of 1 s cut by nobody known": {rang(1, ""), telephony.BrieflyRang, no, unknown},
		"still ringing":                   {telephony.Call{State: telephony.Ringing, RingAt: at(0), Rang: yes}, telephony.BrieflyRang, unknown, unknown},
		"rang, nobody says how long":      {telephony.Call{State: telephony.NoAnswer, EndedAt: at(9), Rang: yes}, telephony.BrieflyRang, unknown, unknown},
		"never rang":                      {telephony.Call{State: telephony.Failed, EndedAt: at(9), Rang: no}, telephony.AttemptFailed, no, no},
		"nobody says whether it rang":     {telephony.Call{State: telephony.NoAnswer, EndedAt: at(9)}, telephony.AttemptFailed, unknown, unknown},
	} {
		got := policy(t).Judge(c.call)
		require.Equal(t, telephony.Judgement{Grade: c.grade, Genuine: c.genuine, Fair: c.fair}, got, name)
	}
}
