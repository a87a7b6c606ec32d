.PHONY: help demo test faces light tour race kill soak soak-streams retrain check generate
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: ## tell the whole story on temporary data
	go run ./cmd/doorstep demo

test: ## run all tests, on SQLite and on a throw-away PostgreSQL, and then those of faces
	scripts/with-postgres go test -timeout 30m -skip '$(FACES)' ./...
	$(MAKE) faces

FACES = InABrowser|TypeScript
faces: ## walk the pages in a browser, with axe, and build and run the TypeScript client
	scripts/with-browser scripts/with-typescript scripts/with-postgres go test -count=1 -timeout 30m -run '$(FACES)' ./cmd/doorstep

light: ## time the pages as a phone with a slow connection has them; wants a machine with nothing else to do
	DOORSTEP_LIGHT=1 scripts/with-browser go test -count=1 -v -timeout 30m -run InABrowser ./cmd/doorstep

tour: ## take a picture of every page into the folder tour
	DOORSTEP_TOUR=$(CURDIR)/tour scripts/with-browser go test -count=1 -timeout 30m -run TestATourOfThePages ./cmd/doorstep

race: ## run all tests under the race detector
	scripts/with-postgres go test -race -timeout 60m ./...

kill: ## kill a server 40 times on either engine and look for what it lost
	DOORSTEP_KILL_ROUNDS=40 scripts/with-postgres go test -count=1 -timeout 30m -run TestAServerAsAProcess/Loses ./cmd/doorstep

soak: ## live through a year of one outlet and show that nothing grows with it but the file
	go run ./cmd/doorstep simulate --days 366 --outlets 1 --consumers 100

soak-streams: ## open 10,000 streams, a tenth of them stuck, and show how the others fare
	ulimit -n 20000 && DOORSTEP_STREAM_READERS=10000 go test -count=1 -v -timeout 10m -run TestStuckPhonesDelayNobody ./cmd/doorstep

retrain: ## train the reader anew and compare every bit with the weights that are shipped
	DOORSTEP_RETRAIN=1 go test -count=1 -timeout 60m -run TheShippedWeightsAreTrained -v ./reading

check: ## formatting, vet and staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go vet ./...
	go tool staticcheck ./...

generate: ## make the code that comes from openapi.yaml
	go generate ./...
