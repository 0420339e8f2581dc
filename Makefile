# Belfry. `make help` lists the targets; README.md says which two a newcomer needs.
SHELL := /bin/sh
MAKEFLAGS += --no-builtin-rules
# `make V=1` shows whole command lines.
say = $(if $(V),,@echo "  $(1) $@";)
CC ?= cc
ifeq ($(origin CC),default)
CC := cc
endif
OBJCOPY ?= objcopy
PREFIX ?= /usr/local
SANITIZE ?=
BUILD ?= build$(if $(SANITIZE),/$(subst $(comma),-,$(SANITIZE)))
comma := ,

# TLS to Redis where the installed hiredis has it.
HIREDIS_SSL := $(shell pkg-config --exists hiredis_ssl 2>/dev/null && echo hiredis_ssl)
# A look at certificates (belfry doctor) where OpenSSL's headers are; librdkafka has the library.
OPENSSL := $(shell pkg-config --exists openssl 2>/dev/null && echo openssl)
PACKAGES := rdkafka hiredis jansson inih libmicrohttpd $(HIREDIS_SSL) $(OPENSSL)
PACKAGE_CFLAGS := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)) \
    $(if $(HIREDIS_SSL),-DBELFRY_HIREDIS_SSL) $(if $(OPENSSL),-DBELFRY_OPENSSL)
PACKAGE_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)
CMOCKA_LIBS := $(shell pkg-config --libs cmocka 2>/dev/null)

OPTIMIZE := $(if $(SANITIZE),-O1 -fsanitize=$(SANITIZE) -fno-sanitize-recover=all,-O2 -D_FORTIFY_SOURCE=2)
CFLAGS := -std=c11 -g $(OPTIMIZE) -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes \
    -Wmissing-prototypes -Werror -fPIC -fno-omit-frame-pointer -fstack-protector-strong
CPPFLAGS := -D_GNU_SOURCE -I. -I$(BUILD)/generated $(PACKAGE_CFLAGS)
LDFLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZE)) -Wl,-z,relro,-z,now -Wl,--as-needed -pie
LIBS := $(PACKAGE_LIBS) -lpthread -lm

# One archive per layer; the order is the link order: a layer uses only those to its right.
SOURCES_cli := $(filter-out cli/words/main.c,$(wildcard cli/*/*.c))
SOURCES_daemon := $(filter-out dispatcher/daemon/main.c,$(wildcard dispatcher/daemon/*.c))
SOURCES_metrics := $(wildcard dispatcher/metrics/*.c)
SOURCES_config := $(wildcard dispatcher/config/*.c)
SOURCES_http := $(wildcard dispatcher/http/*.c)
SOURCES_consumer := $(filter-out consumer/worker_main.c,$(wildcard consumer/*.c))
SOURCES_kafka := $(wildcard dispatcher/kafka/*.c)
SOURCES_recovery := $(wildcard dispatcher/recovery/*.c)
SOURCES_engine := $(wildcard dispatcher/engine/*.c)
SOURCES_shard := $(wildcard dispatcher/shard/*.c)
SOURCES_jobs := $(wildcard dispatcher/jobs/*.c)
SOURCES_runs := $(wildcard dispatcher/runs/*.c)
SOURCES_schemas := $(wildcard schemas/*.c)
SOURCES_store := $(wildcard store/*.c)
SOURCES_model := $(wildcard lib/model/*.c)
SOURCES_time := $(wildcard lib/time/*.c)
SOURCES_base := $(wildcard lib/base/*.c)
LAYERS := cli daemon metrics config consumer http kafka recovery engine shard jobs runs schemas store model time base
ARCHIVES := $(foreach layer,$(LAYERS),$(BUILD)/lib$(layer).a)

objects = $(patsubst %.c,$(BUILD)/%.o,$(1))
PROGRAMS := $(BUILD)/belfryd $(BUILD)/belfry $(BUILD)/belfry-worker $(BUILD)/libbelfry.a $(BUILD)/libbelfry.so

.PHONY: all
all: $(PROGRAMS) ## the programs and the library, in build/

define archive_rule
$(BUILD)/lib$(1).a: $(call objects,$(SOURCES_$(1)))
	@rm -f $$@
	$$(call say,AR)ar rcs $$@ $$^
endef
$(foreach layer,$(LAYERS),$(eval $(call archive_rule,$(layer))))

$(BUILD)/%.o: %.c
	@mkdir -p $(dir $@)
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Debian's librdkafka uses C11 threads, which the thread sanitizer does not follow by itself.
PROGRAM_SUPPORT := $(if $(findstring thread,$(SANITIZE)),$(BUILD)/tests/support/thread_sanitizer.o)
# librdkafka is to find these in the program (dispatcher/daemon/steady_wait.h).
STEADY_WAIT := $(foreach symbol,cnd_timedwait timespec_get,-Wl,--export-dynamic-symbol=$(symbol))
$(BUILD)/belfryd: $(BUILD)/dispatcher/daemon/main.o $(PROGRAM_SUPPORT) $(ARCHIVES)
	$(call say,LD)$(CC) $(LDFLAGS) $(STEADY_WAIT) -o $@ $^ $(LIBS)
$(BUILD)/belfry: $(BUILD)/cli/words/main.o $(PROGRAM_SUPPORT) $(ARCHIVES)
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(BUILD)/belfry-worker: $(BUILD)/consumer/worker_main.o $(PROGRAM_SUPPORT) $(BUILD)/libconsumer.a $(BUILD)/libtime.a \
    $(BUILD)/libbase.a
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

# libbelfry has some objects of lib/ in it. Only belfry_* of it can be seen from outside, so that a
# program may have an error_set() of its own: the archive is one object whose other names are local.
LIBBELFRY_SOURCES := $(filter-out consumer/worker%.c,$(SOURCES_consumer)) \
    $(addprefix lib/base/,base64.c error.c hash.c json_grammar.c json_scan.c lines.c logfmt.c \
        monotonic.c number.c quiet_thread.c reader.c topic_name.c utf8.c) \
    $(addprefix lib/time/,civil.c instant.c)
$(BUILD)/libbelfry.o: $(call objects,$(LIBBELFRY_SOURCES))
	$(call say,LD)$(LD) -r -o $@ $^
	@$(OBJCOPY) --localize-hidden --wildcard --keep-global-symbol='belfry_*' $@
$(BUILD)/libbelfry.a: $(BUILD)/libbelfry.o
	@rm -f $@
	$(call say,AR)ar rcs $@ $^
$(BUILD)/libbelfry.so: $(BUILD)/libbelfry.o
	$(call say,LD)$(CC) -shared $(filter-out -pie,$(LDFLAGS)) -Wl,-soname,libbelfry.so.1 -o $@ $^ $(LIBS)

# The store's Lua scripts, one C string each, named after the file.
LUA_SCRIPTS := $(wildcard store/redis_scripts/*.lua)
$(BUILD)/generated/redis_scripts.h: $(LUA_SCRIPTS)
	@mkdir -p $(dir $@)
	@for script in $^; do \
	    echo "static const char script_$$(basename $$script .lua)[] ="; \
	    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^\(.*\)$$/    "\1\\n"/' $$script; \
	    echo "    ;"; \
	done > $@
$(call objects,$(SOURCES_store)): $(BUILD)/generated/redis_scripts.h

# Tests: each tests/unit/test_x.c and tests/contract/test_x.c is one program.
TEST_SUPPORT := $(wildcard tests/support/*.c)
UNIT_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
CONTRACT_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/contract/test_*.c))
$(BUILD)/tests/%: $(BUILD)/tests/%.o $(call objects,$(TEST_SUPPORT)) $(ARCHIVES)
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) $(CMOCKA_LIBS)
.SECONDARY:

.PHONY: unit
unit: $(UNIT_TESTS) ## the C tests of the rules and the codecs, nothing else
	@set -e; for test in $^; do $$test; done

include tests/support/test.mk
include tests/support/quality.mk
include tests/support/simulation.mk

.PHONY: check
check: test-unit test-contract lint ## what needs no running cluster of the test's own

.PHONY: demo
demo: setup-demo ## Belfry with everything embedded: add, fire, work; Ctrl-C ends it
	@$(MAKE) --no-print-directory all
	@tests/support/demo

.PHONY: chaos
chaos: setup-test ## a long run of the exactly-once test; CHAOS_SECONDS=600
	@CHAOS_SECONDS=$${CHAOS_SECONDS:-600} tests/support/run_all --only chaos

.PHONY: install
install: all ## programs, library, header and pages below PREFIX (DESTDIR is honoured)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(PREFIX)/include/belfry
	install -m 755 $(BUILD)/belfryd $(BUILD)/belfry $(BUILD)/belfry-worker $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(BUILD)/libbelfry.a $(DESTDIR)$(PREFIX)/lib
	install -m 755 $(BUILD)/libbelfry.so $(DESTDIR)$(PREFIX)/lib/libbelfry.so.1
	ln -sf libbelfry.so.1 $(DESTDIR)$(PREFIX)/lib/libbelfry.so
	install -m 644 consumer/consumer.h $(DESTDIR)$(PREFIX)/include/belfry/consumer.h
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
	    $(DESTDIR)$(PREFIX)/share/zsh/site-functions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	$(BUILD)/belfry completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/belfry
	$(BUILD)/belfry completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_belfry
	$(BUILD)/belfry completion fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/belfry.fish
	$(BUILD)/belfry manual > $(DESTDIR)$(PREFIX)/share/man/man1/belfry.1
	set -e; for command in $$($(BUILD)/belfry --help | sed -n '/^Commands:/,/^$$/s/^  \([a-z-]*\) .*/\1/p'); do \
	    $(BUILD)/belfry manual $$command > $(DESTDIR)$(PREFIX)/share/man/man1/belfry-$$command.1; \
	done

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z%-]*\):.*## /\1\t/p' $(filter %akefile %.mk,$(MAKEFILE_LIST)) | sort | \
	    awk -F '\t' '{printf "make %-16s %s\n", $$1, $$2}'

.PHONY: clean distclean
clean: ## removes what was built; what was fetched for the tests stays
	@if [ -d build ]; then find build -mindepth 1 -maxdepth 1 ! -name venv ! -name kafka ! -name prometheus ! -name interop -exec rm -rf {} +; fi
distclean: ## removes build/ whole
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
