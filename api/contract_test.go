package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/api"
	"doorstep/api/apitest"
	"doorstep/complaints"
	"doorstep/parcels"
	"doorstep/prefs"
)

func TestGeneratedCodeIsOfThisContract(t *testing.T) {
	fresh := filepath.Join(t.TempDir(), "contract.gen.go")
	out, err := exec.Command("go", "tool", "oapi-codegen", "-config", "oapi-codegen.yaml", "-o", fresh, "../openapi.yaml").CombinedOutput()
	require.NoError(t, err, string(out))
	want, err := os.ReadFile(fresh)
	require.NoError(t, err)
	got, err := os.ReadFile("contract.gen.go")
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), "run go generate ./api")
}

// undocumented are the files that the page /docs is made of.
var undocumented = map[string]bool{
	"GET /docs/start.js":             true,
	"GET /docs/swagger-ui-bundle.js": true,
	"GET /docs/swagger-ui.css":       true,
	"GET /docs/house.css":            true,
	"GET /docs/problems.css":         true,
}

func TestEveryRouteIsInTheContractAndEveryOperationIsRouted(t *testing.T) {
	parameter := regexp.MustCompile(`:(\w+)`)
	var routes []string
	for _, r := range newApp(t).handler().(*echo.Echo).Routes() {
		if route := r.Method + " " + parameter.ReplaceAllString(r.Path, "{$1}"); !undocumented[route] {
			routes = append(routes, route)
		}
	}
	var documented []string
	eachOperation(func(method, path string, _ *openapi3.Operation) {
		documented = append(documented, method+" "+path)
	})
	require.ElementsMatch(t, documented, routes)
}

func TestRolesAreThoseOfTheContract(t *testing.T) {
	contract := map[string][]doorstep.Role{}
	eachOperation(func(_, _ string, op *openapi3.Operation) {
		if roles := rolesOf(t, op); len(roles) > 0 {
			contract[op.OperationID] = roles
		}
	})
	require.Equal(t, contract, api.Admits)
}

func TestAnOperationWithoutRolesIsDeclaredOpen(t *testing.T) {
	eachOperation(func(method, path string, op *openapi3.Operation) {
		open := op.Security != nil && len(*op.Security) == 0
		require.Equal(t, open, len(rolesOf(t, op)) == 0, "%s %s", method, path)
		require.Equal(t, open, !strings.HasPrefix(path, "/v1/") || strings.HasPrefix(path, "/v1/log/") || path == "/v1/privacy/notice", "%s %s", method, path)
	})
}

func TestEveryOperationLetsInItsRolesAndNobodyElse(t *testing.T) {
	eachOperation(func(method, path string, op *openapi3.Operation) {
		admitted := rolesOf(t, op)
		if len(admitted) == 0 {
			return
		}
		target := regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "x1")
		require.Equal(t, http.StatusUnauthorized, newApp(t).send(method, target, "").Code, "%s %s", method, path)
		for _, role := range doorstep.Roles {
			// Whoever is let in finds a bad body, or a handler that is not there.
			code := newApp(t).send(method, target, "", as(role)).Code
			if slices.Contains(admitted, role) {
				require.Contains(t, []int{http.StatusBadRequest, http.StatusInternalServerError}, code, "%s %s as %s", method, path, role)
			} else {
				require.Equal(t, http.StatusForbidden, code, "%s %s as %s", method, path, role)
			}
		}
	})
}

func TestTheContractSpeaksTheVocabularyOfTheDomain(t *testing.T) {
	require.Equal(t, strs(prefs.Tags), enum("Tag"))
	require.Equal(t, strs(complaints.Categories), enum("Category"))
	require.Equal(t, strs(parcels.Methods), enum("SignMethod"))
	require.Equal(t, strs(parcels.Grounds), enum("SignGround"))
	require.Equal(t, parcels.Outcomes, enum("AttemptOutcome"))
	var reasons []string
	for _, r := range parcels.Reasons {
		reasons = append(reasons, r.Code)
	}
	require.Equal(t, reasons, enum("AttemptReason"))
	require.Equal(t, enum("ComplaintStatus"), enum("ComplaintStatusFilter"))
}

func TestRequestsNameEveryFieldTheyKnow(t *testing.T) {
	for name, schema := range apitest.Contract().Components.Schemas {
		if strings.HasSuffix(name, "Input") || strings.HasSuffix(name, "Batch") || name == "Consignee" || name == "Reporter" {
			additional := schema.Value.AdditionalProperties.Has
			require.NotNil(t, additional, name)
			require.False(t, *additional, name)
		}
	}
}

// The contract leans on these parts of OpenAPI 3.1, which the checker of
// answers must therefore understand.
func TestCheckerUnderstandsWhatTheContractUses(t *testing.T) {
	tests := []struct {
		name, schema, value string
		good                bool
	}{
		{"null in a type list", "ConsentPage", `{"items":[],"next_cursor":null}`, true},
		{"string in the same type list", "ConsentPage", `{"items":[],"next_cursor":"abc"}`, true},
		{"number outside a type list", "ConsentPage", `{"items":[],"next_cursor":1}`, false},
		{"required but nullable", "ConsentPage", `{"items":[]}`, false},
		{"null where no list allows it", "Learning", `{"enabled":null}`, false},
		{"fields of a kind beside those of all", "EvidenceRecord", evidence(`"outcome":"answered","duration_s":3`), true},
		{"field of a wrong type", "EvidenceRecord", evidence(`"outcome":true`), false},
		{"enum beside a description", "Decision", `{"tag":"no_locker","level":"avoid","decided_by":"learned"}`, true},
		{"outside an enum", "Decision", `{"tag":"no_locker","level":"forbid","decided_by":"learned"}`, false},
		{"outside an enum behind a reference", "Decision", `{"tag":"lockers","level":"avoid","decided_by":"learned"}`, false},
		{"date-time", "ConsumerLink", `{"url":"https://example.com/p/t","token":"t","expires_at":"2026-11-21T09:00:00Z"}`, true},
		{"no date-time", "ConsumerLink", `{"url":"https://example.com/p/t","token":"t","expires_at":"tomorrow"}`, false},
		{"unknown field of a request", "LearningInput", `{"enabled":true,"on":true}`, false},
		{"allOf beside a description", "DispatchInput", dispatchAt("2026-11-21T09:00:00+08:00"), true},
		{"bad value behind allOf", "DispatchInput", dispatchAt("noon"), false},
		{"number over its maximum", "MyTag", tagWithConfidence("1.5"), false},
		{"number at its maximum", "MyTag", tagWithConfidence("1"), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var value any
			require.NoError(t, json.Unmarshal([]byte(tt.value), &value))
			schema := apitest.Contract().Components.Schemas[tt.schema].Value
			err := schema.VisitJSON(value, openapi3.EnableJSONSchema2020())
			require.Equal(t, tt.good, err == nil, "%v", err)
		})
	}
}

func evidence(fields string) string {
	return `{"id":"e1","kind":"call","source":"device","occurred_at":"2026-11-21T09:00:00Z",` +
		`"received_at":"2026-11-21T09:00:01Z",` + fields + `}`
}

func dispatchAt(at string) string {
	return `{"waybill":"W1","outlet_id":"o","courier_id":"c","consignee":{"phone":"+8613800000000"},"dispatched_at":"` + at + `"}`
}

func tagWithConfidence(c string) string {
	return `{"tag":"to_door","state":"on","source":"learned","because":[],"since":"2026-11-21T09:00:00Z","confidence":` + c + `}`
}

func eachOperation(do func(method, path string, op *openapi3.Operation)) {
	for path, item := range apitest.Contract().Paths.Map() {
		for method, op := range item.Operations() {
			do(method, path, op)
		}
	}
}

func rolesOf(t *testing.T, op *openapi3.Operation) []doorstep.Role {
	t.Helper()
	text, err := json.Marshal(op.Extensions["x-roles"])
	require.NoError(t, err)
	var roles []doorstep.Role
	require.NoError(t, json.Unmarshal(text, &roles))
	return roles
}

func enum(schema string) []string {
	var values []string
	for _, v := range apitest.Contract().Components.Schemas[schema].Value.Enum {
		values = append(values, v.(string))
	}
	return values
}

func strs[S ~string](values []S) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}
