# Targets that need the test environment; included by the Makefile.

MODEL_DRIVERS := $(patsubst tests/model/%.c,$(BUILD)/tests/model/%,$(wildcard tests/model/*.c))

# What the C tests are built from the sources that are there now.
.PHONY: test-programs
test-programs: $(UNIT_TESTS) $(CONTRACT_TESTS) $(MODEL_DRIVERS) ## builds the C tests, runs none

# Packages for building and the demo, or for everything; does nothing when all is there.
.PHONY: setup-demo setup-test
setup-demo: ## installs what building and the demo need; nothing when all is there
	@tests/support/setup --demo
setup-test: ## installs what the tests need, Kafka and Redis included
	@tests/support/setup --test

# All tests; on a fresh machine it first installs what is missing. Last line: N passed, N failed.
.PHONY: test
test: setup-test ## all tests; the last line is N passed, N failed
	@tests/support/run_all

test-%: setup-test ## one folder alone: unit, contract, model, integration, interop, chaos
	@tests/support/run_all --only $*

# The faults of tests/trust one by one, each with what finds it; the long checks are here, not in
# `make test`. TRUST="03 17" for some, TRUST_SAMPLE=1 without the slow ones.
.PHONY: trust trust-table
trust: setup-test ## a line per fault of tests/trust: what should find it, does; TRUST=03
	@tests/support/trust
# A program of one of them, on the client library alone.
$(BUILD)/tests/trust/%: $(BUILD)/tests/trust/%.o
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
trust-table: ## writes the table of docs/reliability.md from tests/trust
	@tests/support/trust --table

# Random commands against a reference model in Python: 100,000 sequences in memory, and a long run
# against a daemon that is killed meanwhile; and 200,000 walks through the protocol of runs.
# `make test-model` runs few.
.PHONY: model
model: setup-test all $(MODEL_DRIVERS) ## 100,000 random sequences against the reference model
	@MODEL_SEQUENCES=$${MODEL_SEQUENCES:-100000} MODEL_COMMANDS=$${MODEL_COMMANDS:-5000} \
	    RUNS_WALKS=$${RUNS_WALKS:-200000} \
	    tests/support/run_all --only model

# docs/demo.svg from a run of the demo; a contract test holds its words against the demo's.
.PHONY: demo-picture
demo-picture: setup-demo ## writes docs/demo.svg from a run of the demo
	@$(MAKE) --no-print-directory all
	@tests/support/demo_picture

# docs/top.svg from a run of belfry top; a contract test holds its words against the program's.
.PHONY: top-picture
top-picture: setup-test all ## writes docs/top.svg from a run of belfry top
	@build/venv/bin/python tests/support/top_picture
