# The front door: each target installs the Debian packages that it lacks, then lets meson do the work.
BUILD  ?= build
PREFIX ?= /usr/local
NEED    = @scripts/need.sh

all: ## build the command, the libraries and the examples in build/
	$(NEED) build
	@scripts/build.sh $(BUILD) -Dprefix=$(PREFIX) -Dcommand=enabled -Dexamples=enabled

demo: all ## run the example firewall on a capture of real traffic
	@scripts/demo.sh $(BUILD)

check: ## everything that has to hold: gcc, clang with sanitizers, aarch64, fuzz corpora
	$(NEED) build check
	@scripts/check.sh

asan: ## all tests with clang's address and undefined-behaviour sanitizers
	$(NEED) build sanitizers
	@scripts/check.sh asan

tsan: ## all tests with the thread sanitizer
	$(NEED) build sanitizers
	@scripts/check.sh tsan

lint: ## clang-tidy and cppcheck
	$(NEED) build lint
	@scripts/lint.sh

cover: ## line and branch coverage of the tests
	$(NEED) build cover
	@scripts/cover.sh

bench: ## ns per run of native code and of every engine, with ratios
	$(NEED) build
	@scripts/bench.sh

fuzz: ## the fuzz targets, and random programs and map operations against Linux, FUZZ_TIME=60 each
	$(NEED) build sanitizers
	@scripts/oracle.sh $(FUZZ_TIME)
	@scripts/fuzz.sh $(FUZZ_TIME)

parity: all ## the running kernel's verdict on Linux's own tests: object files and tables (minutes)
	$(NEED) parity
	@scripts/parity.sh $(BUILD)
	@scripts/parity-tables.sh $(BUILD)

mutants: ## would the tests notice? the verifier, wrong in one place at a time, and its tests (an hour)
	$(NEED) build
	@tests/mutants/mutants.py $(BUILD)/mutants

lab: all ## the tests against Linux in an emulator: LAB=6.12 (or 6.1)
	@scripts/lab.sh --kernel $(LAB) --build $(BUILD)

install: all ## install below PREFIX (/usr/local); DESTDIR is honoured
	@meson install -C $(BUILD) --no-rebuild

clean: ## remove everything that was built
	rm -rf $(BUILD) build-*

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | column -t -s '|'

FUZZ_TIME ?= 60
LAB     ?= 6.12

.PHONY: all demo check asan tsan lint cover bench fuzz parity mutants lab install clean help
