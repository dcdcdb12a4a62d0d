# sipyard: build, test and check. `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
JOBS ?= $(shell nproc)
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(JOBS)
endif

# --- flavour: release, address (ASan + UBSan), thread (TSan) or fuzz (clang), each in a folder of its own ---------------------------
SAN ?=
FLAVOUR := $(if $(SAN),$(SAN),release)
B ?= build/$(FLAVOUR)
comma := ,
CXX_PLAIN := $(if $(filter fuzz,$(SAN)),clang++,$(if $(filter default,$(origin CXX)),g++,$(CXX)))
CCACHE := $(shell command -v ccache 2>/dev/null)
CXX := $(CCACHE) $(CXX_PLAIN)
SANFLAGS_address := -fsanitize=address,undefined -fno-sanitize-recover=undefined
SANFLAGS_thread  := -fsanitize=thread
SANFLAGS_fuzz    := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
# what is tested is watched by UBSan, the tests themselves are not: they take half as long again to compile with it
IS_TEST = $(filter %_test.cpp test/support/%,$<)
SANFLAGS = $(if $(IS_TEST),$(subst $(comma)undefined,,$(SANFLAGS_$(SAN))),$(SANFLAGS_$(SAN)))
# ASan with UBSan compiles three times faster at -O0 than at -O1, and finds the same
OPT_CORE := $(if $(SAN),$(if $(filter address,$(SAN)),-O0,-O1),-O2)
OPT_TEST := -O0
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wcast-qual $(if $(filter fuzz,$(SAN)),,-Werror)
CXXFLAGS_ALL = -std=c++20 -g1 $(WARN) $(PIC) -fno-omit-frame-pointer -I. $(SANFLAGS)
LDFLAGS_ALL := $(SANFLAGS_$(SAN)) $(shell command -v mold >/dev/null 2>&1 && echo -fuse-ld=mold)

# The core is only ever linked into programs: position independent as a program is, its thread-locals cost nothing.
# Modules are shared objects whose functions nobody replaces.
PIC = $(if $(filter modules/%,$(filter-out %_test.cpp,$<)),-fPIC -fno-semantic-interposition,-fPIE)

PKGS_core := libxml-2.0 openssl libpcre2-8 libcares fmt
CFLAGS_core := $(shell pkg-config --cflags $(PKGS_core) 2>/dev/null)
LIBS_core := $(shell pkg-config --libs $(PKGS_core) 2>/dev/null) -lboost_context -lpthread -ldl

# --- what there is ----------------------------------------------------------------------------------------------------
ROOMS   := base log sip xml json crypto task db net module script server ctl
MODULES := $(notdir $(patsubst %/,%,$(dir $(wildcard modules/*/*.cpp))))
MODULES := $(sort $(MODULES))

CORE_ALL   := $(foreach r,$(ROOMS),$(wildcard core/$(r)/*.cpp))
MAINS      := core/server/main.cpp core/ctl/main.cpp
CORE_SRC   := $(filter-out %_test.cpp $(MAINS),$(CORE_ALL))
CORE_OBJ   := $(CORE_SRC:%.cpp=$B/%.o)
SUPPORT_SRC := $(wildcard test/support/*.cpp)
SUPPORT_OBJ := $B/test/support/catch_main.o $B/libsupport.a
SCENARIO_SRC := $(wildcard test/scenario/*_test.cpp)
MODULE_SO  := $(MODULES:%=$B/modules/%.so)
LIB        := $B/libsipyard.a

ROOM_TESTS   := $(foreach r,$(ROOMS),$(if $(wildcard core/$(r)/*_test.cpp),$B/test/core_$(r)))
MODULE_TESTS := $(foreach m,$(MODULES),$(if $(wildcard modules/$(m)/*_test.cpp),$B/test/$(m)))
SCENARIO_TESTS := $(if $(SCENARIO_SRC),$B/test/scenarios)
TESTS := $(ROOM_TESTS) $(MODULE_TESTS) $(SCENARIO_TESTS)

.PHONY: all test
all: $B/sipyard $B/sipyardctl $(MODULE_SO)

# Headers that nearly all include are compiled once for each kind of file: half of the compiler's time was theirs.
# `make PCH=` does without, which shows a file that forgot an include. GCC 12 warns wrongly of memchr in them.
# One folder for each flavour wherever the objects go, so that a compiler cache knows a file again.
PCH_DIR := build/pch/$(FLAVOUR)
PCH ?= $(if $(filter fuzz,$(SAN)),,core module test module_test)
PCH_HEADER_core := core/base/precompiled.h
PCH_HEADER_module := core/module/precompiled.h
PCH_HEADER_test := test/support/precompiled.h
PCH_HEADER_module_test := test/support/precompiled_module.h
# (catch_main.cpp alone makes Catch2's own code)
PCH_OF = $(filter $(PCH),$(if $(filter %/catch_main.cpp,$<),,$(if $(IS_TEST),$(if $(filter modules/%,$<),module_test,test),$(if $(filter modules/%,$<),module,$(if $(filter core/%,$<),core)))))
export CCACHE_SLOPPINESS := pch_defines,time_macros
COMPILE = $(CXX) $(CXXFLAGS_ALL) $(if $(filter test/%,$<)$(IS_TEST),$(OPT_TEST),$(OPT_CORE)) $(CFLAGS_core)

$B/%.o: %.cpp
	@mkdir -p $(@D)
	@echo "  c++  $<"
	@$(COMPILE) $(PCH_OF:%=-Winvalid-pch -fpch-preprocess -Wno-stringop-overread -include $(PCH_DIR)/%.h) $(CFLAGS_$(MODULE_OF)) -MMD -MP -c $< -o $@

define PCH_RULES
$(PCH_DIR)/$(1).h.gch: $$(PCH_HEADER_$(1))
	@mkdir -p $$(@D)
	@echo "  c++  $$<"
	@echo '#include "$$<"' > $$(@:.gch=)
	@$$(COMPILE) -x c++-header -MMD -MP -MF $$(@:.h.gch=.d) -MT $$@ -c $$(@:.gch=) -o $$@.$$$$$$$$ && mv -f $$@.$$$$$$$$ $$@
endef
$(foreach p,$(PCH),$(eval $(call PCH_RULES,$(p))))
$(PCH_DIR)/module.h.gch: PIC = -fPIC -fno-semantic-interposition
# the compiler does not say that it read one
$(CORE_OBJ) $(MAINS:%.cpp=$B/%.o): $(patsubst %,$(PCH_DIR)/%.h.gch,$(filter core,$(PCH)))
$(patsubst %.cpp,$B/%.o,$(filter-out %_test.cpp,$(wildcard modules/*/*.cpp))): $(patsubst %,$(PCH_DIR)/%.h.gch,$(filter module,$(PCH)))
$(patsubst %.cpp,$B/%.o,$(wildcard core/*/*_test.cpp test/support/*.cpp test/scenario/*.cpp)): $(patsubst %,$(PCH_DIR)/%.h.gch,$(filter test,$(PCH)))
$(patsubst %.cpp,$B/%.o,$(wildcard modules/*/*_test.cpp)): $(patsubst %,$(PCH_DIR)/%.h.gch,$(filter module_test,$(PCH)))

$B/modules/%.o: MODULE_OF = $(word 2,$(subst /, ,$<))

$(LIB): $(CORE_OBJ)
	@echo "  ar   $@"
	@rm -f $@ && ar rcs $@ $^

$B/libsupport.a: $(patsubst %.cpp,$B/%.o,$(filter-out test/support/catch_main.cpp,$(SUPPORT_SRC)))
	@rm -f $@ && ar rcs $@ $^

# XML Schemas of modules, where a module in $B/modules looks for them; the install has them at the same place
SCHEMAS := $(wildcard modules/*/schemas/*.xsd)
SCHEMAS_MADE := $B/share/sipyard/schemas/.made
$(SCHEMAS_MADE): $(SCHEMAS)
	@rm -rf $(@D) && mkdir -p $(@D) && cp $(SCHEMAS) $(@D)/ && touch $@
$(MODULE_SO) $(TESTS): | $(SCHEMAS_MADE)

$B/sipyard: $B/core/server/main.o $(LIB)
	@echo "  link $@"
	@$(CXX_PLAIN) $(LDFLAGS_ALL) -rdynamic -o $@ $< -Wl,--whole-archive $(LIB) -Wl,--no-whole-archive $(LIBS_core)

$B/sipyardctl: $B/core/ctl/main.o $(LIB)
	@echo "  link $@"
	@$(CXX_PLAIN) $(LDFLAGS_ALL) -o $@ $< $(LIB) $(LIBS_core)

# a folder in modules/ is a module; module.mk may name packages (PKGS_x), libraries (LIBS_x) and flags (CFLAGS_x),
# sources of another module that its tests need (TEST_NEEDS_x), and further names it loads under (ALIASES_x)
-include $(MODULES:%=modules/%/module.mk)
define MODULE_RULES
SRC_$(1) := $$(filter-out %_test.cpp,$$(wildcard modules/$(1)/*.cpp))
OBJ_$(1) := $$(SRC_$(1):%.cpp=$B/%.o)
CFLAGS_$(1) += $$(if $$(PKGS_$(1)),$$(shell pkg-config --cflags $$(PKGS_$(1)) 2>/dev/null))
LIBS_$(1) += $$(if $$(PKGS_$(1)),$$(shell pkg-config --libs $$(PKGS_$(1)) 2>/dev/null))
$B/modules/$(1).so: $$(OBJ_$(1))
	@echo "  link $$@"
	@$(CXX_PLAIN) $(LDFLAGS_ALL) -shared -o $$@ $$^ $$(LIBS_$(1))
	@for a in $$(ALIASES_$(1)); do ln -sf $(1).so $B/modules/$$$$a.so; done
$B/test/$(1): $$(patsubst %.cpp,$B/%.o,$$(wildcard modules/$(1)/*_test.cpp)) $$(OBJ_$(1)) $$(foreach n,$$(TEST_NEEDS_$(1)),$$(patsubst %.cpp,$B/%.o,$$(filter-out %_test.cpp,$$(wildcard modules/$$(n)/*.cpp)))) $(SUPPORT_OBJ) $(LIB)
	@mkdir -p $$(@D)
	@echo "  link $$@"
	@$(CXX_PLAIN) $(LDFLAGS_ALL) -rdynamic -o $$@ $$(filter %.o,$$^) $B/libsupport.a $(LIB) $$(LIBS_$(1)) $$(foreach n,$$(TEST_NEEDS_$(1)),$$(LIBS_$$(n))) $(LIBS_core)
endef
$(foreach m,$(MODULES),$(eval $(call MODULE_RULES,$(m))))

define ROOM_TEST_RULES
$B/test/core_$(1): $$(patsubst %.cpp,$B/%.o,$$(wildcard core/$(1)/*_test.cpp)) $(SUPPORT_OBJ) $(LIB)
	@mkdir -p $$(@D)
	@echo "  link $$@"
	@$(CXX_PLAIN) $(LDFLAGS_ALL) -rdynamic -o $$@ $$(filter %.o,$$^) $B/libsupport.a $(LIB) $(LIBS_core)
endef
$(foreach r,$(ROOMS),$(eval $(call ROOM_TEST_RULES,$(r))))

$B/test/scenarios: $(SCENARIO_SRC:%.cpp=$B/%.o) $(SUPPORT_OBJ) $(LIB) $(MODULE_SO)
	@mkdir -p $(@D)
	@echo "  link $@"
	@$(CXX_PLAIN) $(LDFLAGS_ALL) -rdynamic -o $@ $(filter %.o,$^) $B/libsupport.a -Wl,--whole-archive $(LIB) -Wl,--no-whole-archive $(LIBS_core)

include test/tests.mk

# --- packages ---------------------------------------------------------------------------------------------------------
DEPS_build := g++ make pkg-config libxml2-dev unixodbc-dev libssl-dev libmicrohttpd-dev catch2 libpcre2-dev libboost-context-dev libc-ares-dev libfmt-dev nlohmann-json3-dev
DEPS_run   := libsqliteodbc odbcinst curl openssl
DEPS_test  := odbc-postgresql odbc-mariadb postgresql mariadb-server sip-tester sipsak baresip-core python3 chromium chromium-driver
DEPS_check := clang clang-tidy clang-format libclang-rt-14-dev
.PHONY: deps deps-test deps-check
deps:
	@etc/install_packages $(DEPS_build) $(DEPS_run)
deps-test:
	@etc/install_packages $(DEPS_build) $(DEPS_run) $(DEPS_test)
deps-check:
	@etc/install_packages $(DEPS_build) $(DEPS_run) $(DEPS_test) $(DEPS_check)

# --- run --------------------------------------------------------------------------------------------------------------
.PHONY: run
run: # packages first, then a make of its own: what pkg-config says is read when make starts
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory all
	@etc/quickstart $B

# --- checks -----------------------------------------------------------------------------------------------------------
.PHONY: check rooms headers format format-check tidy docs fuzz bench install help clean
HEADERS := $(filter-out %/precompiled.h %/precompiled_module.h,$(wildcard core/*/*.h modules/*/*.h test/support/*.h))
check:
	@$(MAKE) --no-print-directory deps-check
	@$(MAKE) --no-print-directory all rooms headers format-check docs
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory SAN=address test
	@$(MAKE) --no-print-directory SAN=thread test
rooms:
	@test/check_rooms
headers: $(HEADERS:%=$B/headers/%.ok)
$B/headers/%.ok: %
	@mkdir -p $(@D)
	@$(CXX) $(filter-out -g1,$(CXXFLAGS_ALL)) $(CFLAGS_core) -Wno-pragma-once-outside-header -fsyntax-only -x c++ -include $< /dev/null && touch $@
docs: all
	@test/check_docs $B
FORMATTED := $(shell git ls-files 'core/*.h' 'core/*.cpp' 'modules/*.h' 'modules/*.cpp' 'test/*.h' 'test/*.cpp' 2>/dev/null)
format:
	@clang-format -i $(FORMATTED)
format-check:
	@clang-format --dry-run -Werror $(FORMATTED)
tidy: compile_commands.json
	@clang-tidy --quiet -p . $(filter-out %_test.cpp,$(CORE_SRC)) $(foreach m,$(MODULES),$(SRC_$(m)))
compile_commands.json: Makefile
	@test/compile_commands "$(CXX_PLAIN) $(CXXFLAGS_ALL) $(OPT_CORE) $(CFLAGS_core) $(foreach m,$(MODULES),$(CFLAGS_$(m)))" $(CORE_SRC) $(MAINS) $(foreach m,$(MODULES),$(SRC_$(m))) > $@

# one fuzz target per file in test/fuzz, seeds in test/corpus/TARGET: make fuzz T=uri [SECONDS=600]
SECONDS ?= 60
FUZZ_TARGETS := $(if $(T),$(T),$(basename $(notdir $(wildcard test/fuzz/*.cpp))))
fuzz:
	@$(MAKE) --no-print-directory SAN=fuzz $(FUZZ_TARGETS:%=build/fuzz/bin/%)
	@test/run_fuzz $(SECONDS) $(FUZZ_TARGETS)
# The parsers and what they stand on; management and module glue have nothing to fuzz (and JSON's tree is not clang 14's)
FUZZ_LIB := $B/libfuzzed.a
$(FUZZ_LIB): $(filter-out $B/core/json/% $B/core/server/% $B/core/ctl/% $B/core/module/json_rpc.o,$(CORE_OBJ))
	@rm -f $@ && ar rcs $@ $^
define FUZZ_RULES
build/fuzz/bin/$(1): $B/test/fuzz/$(1).o $(FUZZ_LIB) $(foreach m,$(sort $(shell grep -oE '"modules/[a-z_]+' test/fuzz/$(1).cpp 2>/dev/null | cut -d/ -f2)),$(filter-out %/$(m).o,$(OBJ_$(m))))
	@mkdir -p $$(@D)
	@echo "  link $$@"
	@$(CXX_PLAIN) $(filter-out -fsanitize=fuzzer-no-link%,$(SANFLAGS_fuzz)) -fsanitize=fuzzer,address,undefined -o $$@ $$(filter %.o,$$^) $(FUZZ_LIB) $(LIBS_core)
endef
$(foreach t,$(basename $(notdir $(wildcard test/fuzz/*.cpp))),$(eval $(call FUZZ_RULES,$(t))))
bench: all $B/test/bench/load
	@test/bench/run $B
$B/test/bench/load: $B/test/bench/load.o
	@$(CXX_PLAIN) $(LDFLAGS_ALL) -o $@ $<

PREFIX ?= /usr/local
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/sipyard/modules $(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/doc/sipyard/examples
	install -m 755 $B/sipyard $B/sipyardctl $(DESTDIR)$(PREFIX)/bin/
	install -m 644 $(MODULE_SO) $(DESTDIR)$(PREFIX)/lib/sipyard/modules/
	install -d $(DESTDIR)$(PREFIX)/share/sipyard/schemas
	install -m 644 $(SCHEMAS) $(DESTDIR)$(PREFIX)/share/sipyard/schemas/
	$(foreach m,$(MODULES),$(foreach a,$(ALIASES_$(m)),ln -sf $(m).so $(DESTDIR)$(PREFIX)/lib/sipyard/modules/$(a).so;))
	install -m 644 doc/sipyard.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -m 644 doc/sipyard.cfg.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 644 etc/*.cfg $(DESTDIR)$(PREFIX)/share/doc/sipyard/examples/
	install -d $(DESTDIR)$(PREFIX)/share/sipyard/xcap_admin
	install -m 644 etc/xcap_admin/* $(DESTDIR)$(PREFIX)/share/sipyard/xcap_admin/
clean:
	rm -rf build compile_commands.json
help:
	@echo 'make              build the server, sipyardctl and every module'
	@echo 'make run          install what is missing, build, start etc/quickstart.cfg on loopback'
	@echo 'make test         install what is missing, build, run every test; T=name picks binaries'
	@echo 'make SAN=address  the same with AddressSanitizer and UBSan, SAN=thread with ThreadSanitizer'
	@echo 'make check        rooms, headers, format, docs, tests, sanitizers: all a reviewer would ask'
	@echo 'make rooms        who may include whom (core/ROOMS);  make headers  each compiles alone'
	@echo 'make docs         module READMEs against the manifests, every example loaded'
	@echo 'make fuzz T=name  one fuzz target for SECONDS=60;  make bench  CPU per operation'
	@echo 'make format, make tidy, make compile_commands.json, make deps, make install DESTDIR='

-include $(shell find $B $(PCH_DIR) -name '*.d' 2>/dev/null)
