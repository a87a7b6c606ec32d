package doorstep

import _ "embed"

// OpenAPI is the contract of the HTTP interface, OpenAPI 3.1 in YAML. Package
// api is generated from it and serves it.
//
//go:embed openapi.yaml
var OpenAPI []byte
