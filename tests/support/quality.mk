# Targets that look at quality rather than at function; included by the Makefile.

# clang warns where a function returns false through a text that is always true; gcc does not.
ifneq ($(findstring clang,$(CC)),)
CFLAGS += -Wno-string-conversion
endif

# Rooms, purity of the rules, lengths, banned calls, shell scripts, pages.
.PHONY: lint
lint: $(ARCHIVES) ## rooms, purity, lengths, banned calls, pages; quiet when all is well
	@BELFRY_BUILD=$(BUILD) tests/support/lint

# Rooms that are formatted so far; tables that are set by hand stay.
.PHONY: format
format: ## formats C by .clang-format, in the folders that are held to it
	@tests/support/formatting.py

# docs/reference.md from the schemas; a contract test holds it against them.
.PHONY: reference
reference: ## writes docs/reference.md from the schemas
	@tests/support/reference

# clang-tidy's bug finders over the sources; slower than lint.
.PHONY: tidy
TIDY_SOURCES := $(foreach layer,$(LAYERS),$(SOURCES_$(layer)))
tidy: $(BUILD)/generated/redis_scripts.h ## clang-tidy over the sources; slower than lint
	@printf '%s\n' $(TIDY_SOURCES) | xargs -P $$(nproc) -n 4 sh -c \
	    'clang-tidy --quiet "$$@" -- -std=c11 $(CPPFLAGS) 2>>$(BUILD)/tidy.log' tidy

# Each tests/fuzz/fuzz_*.c for FUZZ_SECONDS (60) under clang's fuzzer and sanitizers.
.PHONY: fuzz
fuzz: ## clang's fuzzer on all that reads foreign bytes; FUZZ_SECONDS=60 for each
	@tests/support/fuzz

# Unit and contract tests and a short integration run with a daemon so built or so watched.
.PHONY: asan tsan valgrind
asan: ## the tests with the address and undefined behaviour sanitizers
tsan: ## the tests with the thread sanitizer
valgrind: ## the tests under Valgrind
asan tsan valgrind: setup-test
	@tests/support/sanitize $@

BENCH_PROGRAMS := $(addprefix $(BUILD)/tests/bench/,bare_producer bare_loop fire_observer)
$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/tests/bench/bench_records.o $(ARCHIVES)
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

# What the rules and codecs of one shard cost, in one process.
.PHONY: bench-core
bench-core: $(addprefix $(BUILD)/tests/bench/,bench_core bench_reports) ## rules, codecs and memory of one shard, no servers
	@$(BUILD)/tests/bench/bench_core
	@$(BUILD)/tests/bench/bench_reports

# Herds, single fires, memory and take-over on a real Kafka and Redis, beside one bare producer;
# BENCH=--quick for a short run.
.PHONY: bench
bench: setup-test $(PROGRAMS) $(BENCH_PROGRAMS) ## fires a second, latency, memory, take-over; BENCH=--quick
	@BELFRY_BUILD=$(BUILD) build/venv/bin/python tests/bench/bench.py $(BENCH)

# Single-job adds beside a bare consume-produce loop, latency of results, an import; BENCH=--rounds=1.
.PHONY: bench-control
bench-control: setup-test $(PROGRAMS) $(BENCH_PROGRAMS) ## commands a second, result latency, import
	@BELFRY_BUILD=$(BUILD) build/venv/bin/python tests/bench/bench_control.py $(BENCH)

# Runs of jobs with a lease: how many a second, what follows a report, what an open one takes, silence,
# retries of ten thousand, a million reports of strangers; BENCH="--quick --only free,lost".
.PHONY: bench-runs
bench-runs: setup-test $(PROGRAMS) $(BENCH_PROGRAMS) $(BUILD)/tests/unit/test_run_table ## runs a second, report to fire, open runs, silence; BENCH=--quick
	@BELFRY_BUILD=$(BUILD) build/venv/bin/python tests/bench/bench_runs.py $(BENCH)

# /livez beside a constant answer of the same library.
HTTP_PROGRAMS := $(addprefix $(BUILD)/tests/bench/,constant_http http_rounds)
.PHONY: bench-http
bench-http: setup-test $(PROGRAMS) $(HTTP_PROGRAMS) ## pages of the daemon beside a constant answer
	@BELFRY_BUILD=$(BUILD) build/venv/bin/python tests/bench/bench_http.py

# One next due time beside other schedulers' libraries, which it builds through their registries.
CONSUMER_PROGRAMS := $(BUILD)/tests/bench/consumer_rounds
.PHONY: bench-consumer
bench-consumer: setup-test $(CONSUMER_PROGRAMS) ## libbelfry beside a bare Kafka client; BENCH=--quick
	@BELFRY_BUILD=$(BUILD) build/venv/bin/python tests/bench/bench_consumer.py $(BENCH)

.PHONY: bench-next
bench-next: $(BUILD)/tests/bench/next/bench_next ## one next due time, beside other schedulers' libraries
	@BELFRY_BUILD=$(BUILD) tests/bench/next/bench

# Schedules and zones against other implementations, a slow oracle, glibc and Python; the others are
# installed below build/differential. DIFFERENTIAL_CASES=200000, ORACLE_CASES=1500.
.PHONY: differential
differential: $(BUILD)/belfry $(BUILD)/tests/differential/zone_probe ## schedules and zones against other programs
	@tests/support/setup --interop
	@tests/differential/setup
	@BELFRY_BUILD=$(BUILD) tests/differential/compare_zones.py
	@BELFRY_BUILD=$(BUILD) tests/differential/compare_oracle.py
	@BELFRY_BUILD=$(BUILD) tests/differential/compare_others.py

# Branches of the rules that unit, corpus and model tests take, file by file. Not counted: assertions
# and the exit when memory runs out. Fails below COVERAGE_LEAST=95 percent.
.PHONY: coverage
coverage: ## branches of the pure rooms that the tests take; fails below 95 percent
	@tests/support/coverage
