# The front door. Every target installs what it needs (Debian packages, only the missing ones) and builds what it uses.
#
#   JOBS=N           compile and test jobs (default: the number of CPUs)
#   T=regex          for test, asan, tsan: only the tests whose name matches
#   WEIR_SETUP=off   install nothing
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

JOBS ?= $(shell nproc)
T ?=
URL ?= http://127.0.0.1:8080/
DURATION ?= 10s
CONNECTIONS ?= 64
SECONDS_EACH ?= 60
PREFIX ?= /usr/local
DESTDIR ?=

release := build/release
weir := $(release)/tools/weir
ctest := ctest --parallel $(JOBS) $(if $(T),--tests-regex '$(T)')
# Where the kernel spreads mappings widely, a program built for tsan starts only without address randomization.
fixed_addresses := $(if $(shell command -v setarch),setarch --addr-no-randomize)

# Errors and warnings go to stderr.
configure = cmake --preset $(1) >/dev/null
build = cmake --build --preset $(1) --parallel $(JOBS)

.PHONY: help
help: ## Show this list
	@printf 'weir, a load balancer for Linux. make TARGET:\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@sed -n '/^#   /s/^# //p' $(MAKEFILE_LIST) | sed '1i\\'

.PHONY: build
build: ## Build the release binary, build/release/tools/weir
	@scripts/setup.sh build
	@$(call configure,release)
	@$(call build,release) --target weir

.PHONY: run
run: build ## Start weir in front of three demo origins; Ctrl-C drains and stops
	@scripts/setup.sh demo
	@WEIR=$(weir) scripts/run-demo.sh

.PHONY: start-backends
start-backends: build ## Start the three demo origins only
	@WEIR=$(weir) scripts/run-demo.sh origins

.PHONY: load-test
load-test: ## Drive a running weir with wrk (URL=, DURATION=, CONNECTIONS=)
	@scripts/setup.sh load
	@curl --silent --show-error --fail --max-time 5 --output /dev/null '$(URL)' || \
	  { echo 'nothing answers at $(URL); start it with: make run' >&2; exit 1; }
	wrk --latency -t1 -c$(CONNECTIONS) -d$(DURATION) '$(URL)'

.PHONY: test
test: ## Build everything and run every test
	@scripts/setup.sh build clients
	@$(call configure,release)
	@$(call build,release)
	@$(ctest) --preset release

.PHONY: asan
asan: ## Every test under AddressSanitizer and UndefinedBehaviorSanitizer
	@scripts/setup.sh build clients
	@$(call configure,asan)
	@$(call build,asan)
	@$(ctest) --preset asan

.PHONY: tsan
tsan: ## Every test under ThreadSanitizer
	@scripts/setup.sh build clients
	@$(call configure,tsan)
	@$(fixed_addresses) $(call build,tsan)
	@$(fixed_addresses) $(ctest) --preset tsan

.PHONY: fuzz
fuzz: ## Let each fuzzer look for bad input for a while (SECONDS_EACH=60)
	@scripts/setup.sh build fuzz
	@$(call configure,fuzz)
	@$(call build,fuzz)
	@tests/fuzz/http1_seeds.py build/fuzz/seeds
	@for fuzzer in build/fuzz/tests/fuzz/*_fuzz; do \
	  name=$$(basename "$$fuzzer"); mkdir -p "build/fuzz/corpus/$$name"; \
	  "$$fuzzer" "build/fuzz/corpus/$$name" "build/fuzz/seeds/$$name" -dict=tests/fuzz/http1.dict \
	    -max_total_time=$(SECONDS_EACH) -artifact_prefix="build/fuzz/$$name-" -print_final_stats=1 -verbosity=0; \
	done

.PHONY: bench
bench: build ## Measure weir beside HAProxy and nginx on this machine
	@scripts/setup.sh bench
	@$(call build,release) --target weir_floor
	@python3 bench/macro/run.py --weir $(weir)

.PHONY: bench-micro
bench-micro: ## Measure the parts: hashing, pickers, timer wheel, slab, published read
	@scripts/setup.sh build
	@$(call configure,release)
	@$(call build,release) --target weir_micro
	@$(release)/bench/weir_micro

.PHONY: bench-balance
bench-balance: ## Simulate all balancing algorithms: bench/results/balance_sim.md and .svg
	@scripts/setup.sh build
	@$(call configure,release)
	@$(call build,release) --target weir_balance_sim
	@$(release)/bench/weir_balance_sim --check --out bench/results

.PHONY: fmt
fmt: ## Format the C++ code in place
	@scripts/setup.sh format
	@scripts/sources.sh | xargs clang-format-14 -i

.PHONY: fmt-check
fmt-check: ## Fail when `make fmt` would change something
	@scripts/setup.sh format
	@scripts/sources.sh | xargs clang-format-14 --dry-run -Werror
	@echo 'format: clean'

.PHONY: lint
lint: ## clang-tidy over our code, shellcheck over our scripts, the tidy rules
	@scripts/setup.sh build lint
	@$(call configure,lint)
	@python3 tests/tidy/tidy.py
	@shellcheck scripts/*.sh .ci/run
	@python3 scripts/lint.py --jobs $(JOBS)

.PHONY: install
install: build ## Install under PREFIX (/usr/local), staged by DESTDIR
	@DESTDIR='$(DESTDIR)' cmake --install $(release) --prefix '$(PREFIX)'

.PHONY: docker-up
docker-up: ## Build the image; start weir and three origins with compose
	@command -v docker >/dev/null || { echo 'docker-up needs docker with its compose plugin' >&2; exit 1; }
	docker compose up --build --detach
	@echo 'weir is at http://127.0.0.1:8080/ ; stop it with: docker compose down'

.PHONY: clean
clean: ## Remove build/
	rm -rf build
