// Package api is the HTTP interface: who may call what, how bodies are read,
// and what errors look like. It holds no rule of the domain and no SQL.
//
// The types and the routing in contract.gen.go are made from openapi.yaml.
package api

//go:generate go tool oapi-codegen -config oapi-codegen.yaml -o contract.gen.go ../openapi.yaml
