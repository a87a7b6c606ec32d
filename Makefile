.PHONY: help demo test check generate race
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: ## tell the whole story on temporary data
	go run ./cmd/doorstep demo

test: ## run all tests, on SQLite and on a throw-away PostgreSQL
	scripts/with-postgres go test ./...

race: ## run all tests under the race detector
	scripts/with-postgres go test -race ./...

check: ## formatting, vet and staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go vet ./...
	go tool staticcheck ./...

generate: ## make the code that comes from openapi.yaml
	go generate ./...
