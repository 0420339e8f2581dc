# The simulator: a whole cluster in one process, in virtual time. It has objects of its own, without
# a byte of librdkafka or hiredis.
SIM := $(BUILD)/simulation
SIM_SOURCES := $(SOURCES_base) $(SOURCES_time) $(SOURCES_model) $(SOURCES_jobs) $(SOURCES_runs) $(SOURCES_shard) \
    $(SOURCES_recovery) $(SOURCES_engine) $(SOURCES_schemas) store/store_memory.c store/store_table.c store/store_group.c store/store_whole.c \
    $(wildcard tests/simulation/*.c tests/simulation/*/*.c)
SIM_OBJECTS := $(patsubst %.c,$(SIM)/%.o,$(SIM_SOURCES))
SIM_WRAPPED := malloc calloc realloc free abort __assert_fail fprintf
SIM_CFLAGS := $(filter-out -D_FORTIFY_SOURCE=2 -fPIC -fstack-protector-strong,$(CFLAGS)) -fno-pie
SIM_LDFLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZE)) -no-pie \
    $(foreach symbol,$(SIM_WRAPPED),-Wl,--wrap=$(symbol))

$(SIM)/%.o: %.c
	@mkdir -p $(dir $@)
	$(call say,CC)$(CC) $(CPPFLAGS) $(SIM_CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/simulate: $(SIM_OBJECTS)
	$(call say,LD)$(CC) $(SIM_LDFLAGS) -o $@ $^ -ljansson

# The simulator with a planted bug: tests/simulation/hunt writes the files that differ there.
ifdef BUG
PLANTED := $(BUILD)/planted/$(BUG)
PLANTED_SOURCES := $(shell cd $(PLANTED) && find . -name '*.c' -printf '%P\n')
$(PLANTED)/%.o: $(PLANTED)/%.c
	$(CC) $(CPPFLAGS) $(SIM_CFLAGS) -w -c -o $@ $<
$(PLANTED)/simulate: $(PLANTED_SOURCES:%.c=$(PLANTED)/%.o) \
    $(filter-out $(PLANTED_SOURCES:%.c=$(SIM)/%.o),$(SIM_OBJECTS))
	$(CC) $(SIM_LDFLAGS) -o $@ $^ -ljansson
endif

# make sim SEEDS=N [SEED=S]: plays seeds on all cores; the last line is the total.
# SEEDS=1 SEED=S repeats one, and where it fails shortens it to a story.
SEEDS ?= 200
SEED ?= 1
.PHONY: sim sim-mutants sim-regressions sim-watched
sim: $(BUILD)/simulate ## the simulator; SEEDS=200 SEED=1; SEEDS=1 repeats one and shortens it
	@tests/simulation/campaign $< $(SEEDS) $(SEED)
sim-mutants: $(BUILD)/simulate ## the simulator finds each planted bug
	@tests/simulation/hunt
# As many seeds under AddressSanitizer and UndefinedBehaviorSanitizer.
sim-watched: ## the simulator's seeds under the sanitizers
	@$(MAKE) --no-print-directory -j "$$(nproc)" SANITIZE=address,undefined sim
sim-regressions: $(BUILD)/simulate ## its Kafka does as it should, and the stories of bugs found: none comes back
	@$< --check-ports
	@$< --check-judge
	@for story in tests/simulation/regressions/*.sim; do $< --replay=$$story || exit 1; done
