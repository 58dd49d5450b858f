# Two commands matter: `make up` starts a shop, `make test` proves it. The work is done in scripts/.

.DEFAULT_GOAL := help
.PHONY: help up down status logs doctor demo clean-data dashboard check test fuzz bench storm

# Handed to the scripts: `make up FAULTS=1`, `make logs SERVICE=kafka`, `make demo ARGS='--rate 50'`.
export FAULTS SERVICE ARGS SCENARIO SEED DEFECTS ORDO_STORM_MINUTES

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

up: ## find or start Postgres and Kafka, build, migrate, serve; leaves it running (FAULTS=1 builds the crash points in)
	@scripts/up.sh

down: ## stop what `make up` started and nothing else; data stays
	@scripts/down.sh

status: ## what runs, where, and where it came from
	@scripts/status.sh

logs: ## follow ordo's log, or SERVICE=postgres, SERVICE=kafka
	@scripts/logs.sh

doctor: ## ask each dependency how it is
	@scripts/ordo.sh run doctor $(ARGS)

demo: ## a believable shop in trouble, to be looked at on the dashboard; then a few orders a second until Ctrl-C
	@scripts/demo.sh

clean-data: ## stop, then delete the data of this checkout's servers; asks first
	@scripts/clean-data.sh

dashboard: ## build the dashboard's page from its sources, which a build of ordo embeds
	@scripts/build-dashboard.sh

check: ## format, lints, docs, shell syntax, the dashboard's page, docker/compose.yaml
	@scripts/check.sh

test: ## every test, on servers and data of its own
	@scripts/test.sh

fuzz: ## send both listeners whatever their OpenAPI documents allow and forbid; no answer may be 5xx
	@scripts/fuzz.sh

bench: ## measure, on fresh servers of its own
	@scripts/bench.sh

storm: ## break everything, for 20 minutes a scenario, on servers of its own (SEED=n, SCENARIO=orders|consumers|models, ORDO_STORM_MINUTES=n, DEFECTS=1)
	@scripts/storm.sh
