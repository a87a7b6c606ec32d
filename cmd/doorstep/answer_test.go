package main

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"doorstep/api"
)

// answer is what came back for one request.
type answer struct {
	t       *testing.T
	request string
	status  int
	header  http.Header
	body    []byte
}

// read decodes the body of an answer, which must have the status.
func read[T any](r answer, status int) (body T) {
	r.t.Helper()
	r.is(status)
	require.NoError(r.t, json.Unmarshal(r.body, &body))
	return body
}

func (r answer) is(status int) {
	r.t.Helper()
	require.Equal(r.t, status, r.status, "%s: %s", r.request, r.body)
}

// problem reads a refusal.
func (r answer) problem(status int) api.ItemProblem {
	r.t.Helper()
	require.Equal(r.t, "application/problem+json", r.header.Get("Content-Type"), "%s: %s", r.request, r.body)
	return read[api.ItemProblem](r, status)
}

// at says which fields a problem is about, as "pointer code".
func at(fields []api.ProblemField) []string {
	list := make([]string, len(fields))
	for i, f := range fields {
		list[i] = f.Pointer + " " + f.Code
	}
	return list
}

// pages walks a list to its end.
func pages[P, I any](a *app, token, path string, open func(P) ([]I, *string)) (all []I) {
	a.t.Helper()
	for cursor := ""; ; {
		items, next := open(read[P](a.get(token, path+cursor), http.StatusOK))
		all = append(all, items...)
		if next == nil {
			return all
		}
		cursor = "&cursor=" + *next
	}
}
