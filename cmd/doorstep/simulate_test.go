package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/api"
	"doorstep/store/storetest"
)

// aTown is as little as says something.
var aTown = []string{"simulate", "--days", "6", "--consumers", "30", "--outlets", "2"}

func simulate(t *testing.T, flags ...string) (out string) {
	t.Helper()
	var printed, told bytes.Buffer
	err := run(t.Context(), append(aTown, flags...), &streams{In: strings.NewReader(""), Out: &printed, Err: &told})
	require.NoError(t, err, told.String())
	return printed.String()
}

func simulateJSON(t *testing.T, flags ...string) (o simulated) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(simulate(t, append(flags, "--json")...)), &o))
	require.Len(t, o.Arms, 2)
	return o
}

// On either engine, and in a second run, the same flags give the same text.
func TestASimulationFollowsFromItsFlags(t *testing.T) {
	want := simulate(t)
	require.Contains(t, want, "✓ every alert ended in exactly one way")
	require.NotContains(t, want, "simulation.", "a text that is missing")
	storetest.OnEach(t, func(t *testing.T, url string) {
		require.Equal(t, want, simulate(t, "--db", url))
	})
	require.NotEqual(t, want, simulate(t, "--seed", "2"))
}

func TestASimulationSpeaksChinese(t *testing.T) {
	out := simulate(t, "--locale", "zh-CN")
	require.Contains(t, out, "以下的下降不是预测")
	require.NotContains(t, out, "simulation.")
}

func TestAlertsMatterAsFarAsTheyAreFollowed(t *testing.T) {
	outspoken := []string{"--days", "12", "--wishing", "1", "--speaking", "1", "--complains", "1", "--mishaps", "0", "--reached", "1", "--seen", "1"}
	filed := func(a armOutcome) []int64 { return quotient(a.Figures["complaint_rate"]) }
	effect := func(o simulated) (withheldArm, shownArm armOutcome) {
		require.Equal(t, withheld, o.Arms[0].Alerts)
		require.Equal(t, shown, o.Arms[1].Alerts)
		// Until the phones are handed out nothing differs.
		for name, c := range o.Arms[0].Comparisons {
			require.Equal(t, c.Base, o.Arms[1].Comparisons[name].Base, name)
		}
		require.Zero(t, o.Arms[0].Figures["informed_share"].Num)
		require.NotZero(t, o.Arms[1].Figures["informed_share"].Num)
		return o.Arms[0], o.Arms[1]
	}

	ignored, seen := effect(simulateJSON(t, append(outspoken, "--followed", "0")...))
	require.Equal(t, filed(ignored), filed(seen))
	without, with := effect(simulateJSON(t, append(outspoken, "--followed", "1")...))
	require.Equal(t, filed(ignored), filed(without))
	require.Less(t, filed(with)[0], filed(without)[0])
	require.Equal(t, filed(with)[1], filed(without)[1], "the same parcels")
}

func TestASimulationTouchesNoDataButItsOwn(t *testing.T) {
	url := filepath.Join(t.TempDir(), "doorstep.db")
	a := newApp(t, url)
	a.put(a.integrator(), "/v1/outlets/west", api.OutletInput{Name: "West"}).is(http.StatusOK)
	err := run(t.Context(), append(aTown, "--db", url), &streams{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &bytes.Buffer{}})
	require.ErrorContains(t, err, "is not the one this database was made with")
}

func TestASimulationRefusesBadFlags(t *testing.T) {
	o := command(t, "simulate", "--days", "1", "--followed", "2")
	require.ErrorContains(t, o.failed, "--days must be 2 to 366")
	require.ErrorContains(t, o.failed, "--followed must be 0 to 1")
}
