package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/push/sink"
)

// phonePush is a push as the app on the phone reads it.
type phonePush struct {
	Token  string
	Kind   string
	More   string
	Alerts []pushedAlert
	Raw    string // the whole message as it came over the wire
}

type pushedAlert struct {
	ID      string   `json:"id"`
	Waybill string   `json:"w"`
	Tags    []string `json:"t"`
}

// pushes lists what the phones were sent, the oldest first.
func (a *app) pushes() []phonePush {
	a.t.Helper()
	return phonePushes(a.t, a.sink.Messages())
}

func phonePushes(t *testing.T, received []sink.Received) []phonePush {
	t.Helper()
	list := make([]phonePush, len(received))
	for i, r := range received {
		var m struct{ Data map[string]string }
		require.NoError(t, json.Unmarshal(r.Message, &m))
		list[i] = phonePush{Token: r.Token, Kind: m.Data["kind"], More: m.Data["more"], Raw: string(r.Message)}
		require.NoError(t, json.Unmarshal([]byte(m.Data["alerts"]), &list[i].Alerts))
	}
	return list
}
