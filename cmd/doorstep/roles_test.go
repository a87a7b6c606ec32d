package main

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"doorstep"
	"doorstep/access"
	"doorstep/store/storetest"
)

func TestEachOperationAdmitsWhomTheContractSays(t *testing.T) {
	outside := newScene(t, storetest.SQLite(t)) // for those who are turned away: it stays as it is
	before := outside.state()
	for _, op := range operations(t, outside) {
		for _, role := range doorstep.Roles {
			if len(op.roles) > 0 && !slices.Contains(op.roles, role) {
				r := outside.send(op.method, outside.of(role), op.path, op.body)
				require.Equal(t, "forbidden", r.problem(http.StatusForbidden).Code, "%s as %s", op.id, role)
				continue
			}
			inside := newScene(t, storetest.SQLite(t))
			one := inside.samples()[op.id] // ids are made anew with each scene
			if one.path == "" {
				one.path = op.template
			}
			inside.send(op.method, inside.of(role), one.path, one.body).is(one.status)
		}
	}
	outside.unchanged(before, "requests of the wrong roles")
}

func TestNoOperationAnswersWithoutAGoodToken(t *testing.T) {
	s := newScene(t, storetest.SQLite(t))
	ops := operations(t, s)
	tokens := map[string]map[doorstep.Role]string{"none": {}, "garbage": {}, "expired": {}, "revoked": {}, "a token's id": {}}
	for _, role := range doorstep.Roles {
		who := access.Request{Role: role, Company: "default", OutletID: "west", CourierID: "li", ConsumerPhone: anne, Subject: "Sun Yan", TTL: access.DefaultTTL}
		tokens["garbage"][role] = access.Prefix + "not-a-secret-of-ours"
		tokens["revoked"][role] = s.freshToken(who)
		list, err := s.db.Tokens(t.Context())
		require.NoError(t, err)
		newest := list[0]
		require.Equal(t, role, newest.Role)
		tokens["a token's id"][role] = newest.ID
		s.get(tokens["revoked"][role], "/v1/me/tags") // it was good, and may be remembered
		require.NoError(t, s.office().Revoke(t.Context(), newest.ID))
		who.TTL = time.Second
		tokens["expired"][role] = s.freshToken(who)
		s.clock.Add(time.Second)
	}
	before := s.state()
	for kind, byRole := range tokens {
		for _, op := range ops {
			roles := op.roles
			if len(roles) == 0 {
				roles = doorstep.Roles
			}
			for _, role := range roles {
				r := s.send(op.method, byRole[role], op.path, op.body)
				if len(op.roles) == 0 {
					r.is(http.StatusOK)
					continue
				}
				require.Equal(t, "unauthorized", r.problem(http.StatusUnauthorized).Code, "%s as %s, token: %s", op.id, role, kind)
				require.Contains(t, r.header.Get("WWW-Authenticate"), "Bearer", op.id)
			}
		}
	}
	s.unchanged(before, "requests without a good token")
}
