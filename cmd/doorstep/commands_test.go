package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/access"
	"doorstep/store/storetest"
)

// console runs commands on one folder of data.
type console struct {
	t    *testing.T
	data string
	url  string // "" is SQLite in data
}

// outcome is what a command wrote and how it ended.
type outcome struct {
	out, err string
	failed   error
}

func (c console) run(args ...string) outcome {
	c.t.Helper()
	args = append(args, "--data", c.data)
	if c.url != "" {
		args = append(args, "--db", c.url)
	}
	return command(c.t, args...)
}

// ok runs a command that must succeed and gives what it wrote.
func (c console) ok(args ...string) string {
	c.t.Helper()
	o := c.run(args...)
	require.NoError(c.t, o.failed, "%v: %s", args, o.err)
	return o.out
}

// file makes a file for a command to read.
func (c console) file(name string, lines ...string) string {
	c.t.Helper()
	path := filepath.Join(c.data, name)
	require.NoError(c.t, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	return path
}

func command(t *testing.T, args ...string) outcome {
	t.Helper()
	var out, errs bytes.Buffer
	err := run(context.Background(), args, &streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	return outcome{out.String(), errs.String(), err}
}

func onConsoles(t *testing.T, test func(t *testing.T, c console)) {
	storetest.OnEach(t, func(t *testing.T, url string) {
		c := console{t: t, data: t.TempDir()}
		if strings.HasPrefix(url, "postgres") {
			c.url = url
		}
		test(t, c)
	})
}

func TestTokensAreMadeListedAndRevoked(t *testing.T) {
	onConsoles(t, func(t *testing.T, c console) {
		secret := c.ok("token", "create", "--role", "integrator")
		require.Regexp(t, "^"+access.Prefix+`\S+\n$`, secret, "the token alone")
		c.ok("token", "create", "--role", "courier", "--courier", "li", "--ttl", "1h")
		c.ok("token", "create", "--role", "consumer", "--consumer-phone", "13800000001")
		manager := c.ok("token", "create", "--role", "manager", "--outlet", "west", "--subject", "Sun Yan")
		c.ok("token", "create", "--role", "hq", "--subject", "Qian Hui", "--company", "other")

		list := c.ok("token", "list")
		require.Len(t, strings.Split(strings.TrimSpace(list), "\n"), 6, "a header and five tokens")
		for _, secret := range []string{secret, manager} {
			require.NotContains(t, list, strings.TrimSpace(secret))
		}
		require.NotContains(t, list, "3800000001")
		require.Contains(t, list, "Sun Yan")

		id := idOf(t, list, "manager")
		c.ok("token", "revoke", id)
		c.ok("token", "revoke", id)
		for _, line := range strings.Split(c.ok("token", "list"), "\n") {
			if strings.HasPrefix(line, id) {
				require.Regexp(t, `Z\s+\d{4}-\d\d-\d\dT\S+Z\s*$`, line, "expires, then revoked")
			}
		}
		require.ErrorContains(t, c.run("token", "revoke", "1-no-such-token").failed, "not found")
	})
}

// idOf finds a token of the role in a list.
func idOf(t *testing.T, list, role string) string {
	t.Helper()
	for _, line := range strings.Split(list, "\n") {
		if columns := strings.Fields(line); len(columns) > 2 && columns[2] == role {
			return columns[0]
		}
	}
	require.Fail(t, "no token", "of role %s in %s", role, list)
	return ""
}

func TestATokenNeedsWhatItsRoleNeeds(t *testing.T) {
	c := console{t: t, data: t.TempDir()}
	for want, args := range map[string][]string{
		"--outlet required":              {"--role", "manager", "--subject", "Sun Yan"},
		"--subject required":             {"--role", "hq"},
		"--courier required":             {"--role", "courier"},
		"--consumer-phone invalid_phone": {"--role", "consumer", "--consumer-phone", "12"},
		"--role unknown_role":            {"--role", "king"},
		"--ttl out_of_range":             {"--role", "integrator", "--ttl", "0s"},
	} {
		o := c.run(append([]string{"token", "create"}, args...)...)
		require.ErrorContains(t, o.failed, want)
		require.Empty(t, o.out)
	}
	require.Error(t, command(t, "token", "create").failed)
	require.Error(t, command(t, "no-such-command").failed)
	require.NoError(t, command(t, "--help").failed)
}

func TestMigrateSaysWhatIsAppliedAndWhatIsNot(t *testing.T) {
	onConsoles(t, func(t *testing.T, c console) {
		if c.url == "" {
			c.file("doorstep.db") // as a restored backup might leave it: no database yet
			require.NoError(t, os.Truncate(filepath.Join(c.data, "doorstep.db"), 0))
		}
		before := c.ok("migrate", "status")
		require.Contains(t, before, "pending")
		require.NotContains(t, before, "applied")
		up := c.ok("migrate", "up")
		require.NotContains(t, up, "pending")
		require.Equal(t, strings.ReplaceAll(before, "pending", "applied"), up)
		require.Equal(t, up, c.ok("migrate", "status"))
		require.Equal(t, up, c.ok("migrate", "up"), "once more changes nothing")
	})
}

func TestKeysOfAnotherInstallationAreRefused(t *testing.T) {
	onConsoles(t, func(t *testing.T, c console) {
		c.ok("migrate", "up")
		other := console{t: t, data: t.TempDir(), url: c.url}
		if other.url == "" {
			other.url = filepath.Join(c.data, "doorstep.db")
		}
		require.ErrorContains(t, other.run("token", "list").failed, "DOORSTEP_KEYS")
	})
}

type verdict struct {
	Line    int
	Waybill string
	Status  string
	ID      string
	Learned []string
	Errors  []struct{ Pointer, Code string }
}

func verdicts(t *testing.T, out string) (list []verdict) {
	t.Helper()
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		var v verdict
		require.NoError(t, json.Unmarshal([]byte(line), &v), line)
		list = append(list, v)
	}
	return list
}

func TestACarriersPastIsImportedFromEitherFormatOnce(t *testing.T) {
	onConsoles(t, func(t *testing.T, c console) {
		dispatches := []string{
			c.file("dispatches.ndjson",
				`{"waybill":"SF1","outlet_id":"west","courier_id":"li","phone":"13800000001","name":"Anne","address":"8 Mill Lane","address_id":"a-1","dispatched_at":"2025-03-01T01:00:00Z"}`,
				``,
				`{"waybill":"SF2","outlet_id":"west","courier_id":"li","phone":"13800000002","dispatched_at":"2025-03-01T01:00:00Z"}`),
			c.file("dispatches.csv",
				"\ufeffwaybill,outlet_id,courier_id,phone,name,dispatched_at",
				`SF1,west,li,13800000001,"Moreau, Anne",2025-03-01T01:00:00Z`,
				`SF3,east,mo,13800000001,,2025-03-01T01:00:00Z`),
		}
		dry := c.run("import", "dispatches", dispatches[0], "--dry-run", "--json")
		require.NoError(t, dry.failed)
		require.Equal(t, []verdict{{Line: 1, Waybill: "SF1", Status: "valid"}, {Line: 3, Waybill: "SF2", Status: "valid"}}, verdicts(t, dry.out))

		require.Contains(t, c.run("import", "dispatches", dispatches[0]).err, "accepted 2, duplicate 0, rejected 0", "the dry run wrote nothing")
		require.Contains(t, c.run("import", "dispatches", dispatches[0]).err, "accepted 0, duplicate 2, rejected 0")
		require.Contains(t, c.run("import", "dispatches", dispatches[1]).err, "accepted 1, duplicate 1, rejected 0", "the same parcel in another format")

		complaints := []string{
			c.file("complaints.ndjson", `{"waybill":"SF1","filed_at":"2026-03-02T01:00:00Z","text":"`+lockerZH+`"}`),
			c.file("complaints.csv", "waybill,filed_at,text,category", `SF2,2026-03-02T01:00:00Z,"late, and nobody said so",delay`),
		}
		first := c.run("import", "complaints", complaints[0], "--json")
		require.NoError(t, first.failed)
		got := verdicts(t, first.out)
		require.Equal(t, "accepted", got[0].Status)
		require.NotEmpty(t, got[0].ID)
		require.Equal(t, []string{"no_locker"}, got[0].Learned)
		require.Contains(t, c.run("import", "complaints", complaints[0]).err, "accepted 0, duplicate 1, rejected 0")
		require.Contains(t, c.run("import", "complaints", complaints[1]).err, "accepted 1, duplicate 0, rejected 0")
	})
}

func TestABadRowOfAnImportHarmsNoOtherAndFailsTheCommand(t *testing.T) {
	onConsoles(t, func(t *testing.T, c console) {
		file := c.file("dispatches.ndjson",
			`{"waybill":"SF1","outlet_id":"west","courier_id":"li","phone":"13800000001"}`,
			`{"waybill":"SF2","outlet_id":"west","courier_id":"li","phone":"12"}`,
			`{"waybill":"S F","outlet_id":"","courier_id":"li","phone":"13800000001"}`,
			`{"waybill":"SF3","outlet_id":"west","courier_id":"li","phone":"13800000001","colour":"red"}`,
			`{"waybill":`,
			"{\"waybill\":\"\xff\"}",
			`{"waybill":"SF1","outlet_id":"west","courier_id":"li","phone":"13800000002"}`,
			`{"waybill":"SF4","outlet_id":"west","courier_id":"li","phone":"13800000001","dispatched_at":"1970-01-01T00:00:00Z"}`,
			`{"waybill":"SF5","outlet_id":"west","courier_id":"li","phone":"13800000001"}`,
		)
		o := c.run("import", "dispatches", file, "--json")
		require.ErrorIs(t, o.failed, errRejected)
		var got []string
		for _, v := range verdicts(t, o.out) {
			line := v.Status
			for _, e := range v.Errors {
				line += " " + e.Pointer + " " + e.Code
			}
			got = append(got, line)
		}
		require.Equal(t, []string{
			"accepted", "rejected /consignee/phone invalid_phone", "rejected /waybill invalid_waybill /outlet_id required",
			"rejected /colour unknown_field", "rejected  malformed", "rejected  invalid_utf8", "rejected  conflict",
			"rejected /dispatched_at time_out_of_range", "accepted",
		}, got)
		require.Contains(t, o.err, "accepted 2, duplicate 0, rejected 7")
		plain := c.run("import", "dispatches", file)
		require.Contains(t, plain.out, "line 2: rejected; /consignee/phone invalid_phone")
		require.NotContains(t, plain.out, "line 1:")

		complaints := c.run("import", "complaints", c.file("complaints.csv",
			"waybill,filed_at,text", "SF1,2026-03-02T01:00:00Z,"+callEN, "SF9,2026-03-02T01:00:00Z,"+callEN, "SF5,soon,", `SF5,"2026`), "--json")
		require.ErrorIs(t, complaints.failed, errRejected)
		list := verdicts(t, complaints.out)
		require.Equal(t, "accepted", list[0].Status)
		require.Equal(t, "not_found", list[1].Errors[0].Code)
		require.Len(t, list[2].Errors, 2)
		require.Equal(t, "malformed", list[3].Errors[0].Code)
	})
}

func TestVersionNamesTheProgram(t *testing.T) {
	o := command(t, "version")
	require.NoError(t, o.failed)
	require.Regexp(t, `^doorstep .+ \(.+, go\d\.\d+\S*\)\n$`, o.out)
}
