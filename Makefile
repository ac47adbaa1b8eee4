# SPDX-License-Identifier: BSD-2-Clause
# pktfs: see README.md. Everything that is built goes to build/.
#
#	make            the program build/pktfs and the library build/libpktfs.{a,so}
#	make demo       installs what is missing, builds, mounts a sample capture, shows it
#	make check      installs what is missing, builds, runs every test
#	make check-paths  the tests that open captures, with each fast path off, and with all on
#	make bench      figures, as ratios to a baseline measured in the same run
#	make fuzz       each fuzz target for FUZZ_SECONDS
#	make install    DESTDIR and PREFIX are respected; make uninstall
#	make deb        a package for Debian

CC      ?= cc
CFLAGS  ?= -O2 -g
BUILD   ?= build
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
SBINDIR ?= $(PREFIX)/sbin
SHARE   := $(PREFIX)/share
JOBS    ?= $(shell nproc)
FUZZ_SECONDS ?= 60
Q       := $(if $(V),,@)

VERSION  := $(shell sed -n 's/^.define PKTFS_VERSION "\(.*\)"/\1/p' include/pktfs/version.h)
SONAME   := libpktfs.so.0

WARN := -Wall -Wextra -Wconversion -Wshadow -Wcast-qual -Wvla -Wformat=2 -Wundef \
	-Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes
ifdef CI
WARN += -Werror
endif

PKTFS_CFLAGS := -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Iinclude -Isrc \
	-fvisibility=hidden -fPIC -pthread -MMD -MP
# tests may be sloppier with integers than what they test
TEST_CFLAGS  := $(PKTFS_CFLAGS) -Itests/unit -Itests/tools \
	$(filter-out -Wconversion -Wmissing-prototypes,$(WARN))
FUSE_CFLAGS = $(shell pkg-config --cflags fuse3) -DFUSE_USE_VERSION=312
FUSE_LIBS   = $(shell pkg-config --libs fuse3)
# what the program needs beyond FUSE and the library
PROG_LIBS   := -lseccomp
LIB_LIBS    := -Wl,--as-needed -lzstd -lz -lpcap -lpcre2-8 -pthread

LIB_SRC  := $(wildcard $(addprefix src/,$(addsuffix /*.c,util source format index capture write set)))
PROG_SRC := $(wildcard $(addprefix src/,$(addsuffix /*.c,append view fs cli)))
LIB_OBJ  := $(LIB_SRC:%.c=$(BUILD)/%.o)
PROG_OBJ := $(PROG_SRC:%.c=$(BUILD)/%.o)

all: $(BUILD)/pktfs $(BUILD)/libpktfs.a $(BUILD)/libpktfs.so

$(BUILD)/src/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(PKTFS_CFLAGS) $(WARN) $(if $(filter src/fs/% src/cli/%,$<),$(FUSE_CFLAGS)) $(CFLAGS) -c -o $@ $<

$(BUILD)/libpktfs.a: $(LIB_OBJ)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/libpktfs.so: $(LIB_OBJ)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(SONAME) -o $@ $^ $(LIB_LIBS)

$(BUILD)/pktfs: $(PROG_OBJ) $(BUILD)/libpktfs.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(FUSE_LIBS) $(PROG_LIBS) $(LIB_LIBS)

# ---- tests: one program for each test_*.c; those of the program's own modules
# (append, view, fs, cli) are linked with its objects, all but main()

TEST_SRC    := $(wildcard tests/unit/test_*.c)
HELPER_OBJ  := $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(TEST_SRC),$(wildcard tests/unit/*.c)))
UNIT        := $(TEST_SRC:%.c=$(BUILD)/%)
FUZZ        := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAY      := $(FUZZ:%=$(BUILD)/tests/fuzz/replay_%)
FUZZERS     := $(FUZZ:%=$(BUILD)/tests/fuzz/fuzz_%)
PRELOAD     := $(patsubst %.c,$(BUILD)/%.so,$(wildcard tests/mount/*_preload.c))
SMALL       := $(patsubst %.c,$(BUILD)/%,$(filter-out %_preload.c,$(wildcard tests/corpus/*.c tests/mount/*.c tests/bench/*.c)))
PKTGEN_OBJ  := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/tools/*.c))
PKTGEN      := $(if $(PKTGEN_OBJ),$(BUILD)/tests/tools/pktgen)
INNER_OBJ    = $(filter-out %/cli_main.o,$(PROG_OBJ))
# captures are opened by way of tests/unit/open_with.c, also by the program `eager`
OPEN_WITH    := -Wl,--wrap=pktfs_open,--wrap=pktfs_open_fd,--wrap=pktfs_open_buffer \
	-Wl,--wrap=pktfs_open_files,--wrap=pktfs_open_inputs,--wrap=index_scout_plan
EAGER        := $(if $(HELPER_OBJ),$(BUILD)/tests/eager/pktfs)

tests: $(UNIT) $(REPLAY) $(SMALL) $(PRELOAD) $(PKTGEN) $(EAGER)

$(BUILD)/tests/%.o: tests/%.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CFLAGS) $(if $(filter tests/unit/test_fs% tests/unit/test_cli%,$<),$(FUSE_CFLAGS)) $(CFLAGS) -c -o $@ $<

INNER_UNIT := $(filter $(addprefix $(BUILD)/tests/unit/test_,append% view% fs% cli%),$(UNIT))
$(INNER_UNIT): $(BUILD)/%: $(BUILD)/%.o $(HELPER_OBJ) $(INNER_OBJ) $(BUILD)/libpktfs.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(OPEN_WITH) -o $@ $^ -lcmocka $(FUSE_LIBS) $(PROG_LIBS) $(LIB_LIBS)

$(filter-out $(INNER_UNIT),$(UNIT)): $(BUILD)/%: $(BUILD)/%.o $(HELPER_OBJ) $(BUILD)/libpktfs.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(OPEN_WITH) -o $@ $^ -lcmocka $(LIB_LIBS)

$(EAGER): $(PROG_OBJ) $(HELPER_OBJ) $(BUILD)/libpktfs.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(OPEN_WITH) -o $@ $^ $(FUSE_LIBS) $(PROG_LIBS) $(LIB_LIBS)

INNER_REPLAY := $(filter $(addprefix $(BUILD)/tests/fuzz/replay_,append% view% cli%),$(REPLAY))
INNER_FUZZER := $(INNER_REPLAY:$(BUILD)/tests/fuzz/replay_%=$(BUILD)/tests/fuzz/fuzz_%)
$(INNER_REPLAY) $(INNER_FUZZER): $(INNER_OBJ)
$(INNER_REPLAY) $(INNER_FUZZER): LIB_LIBS += $(FUSE_LIBS) $(PROG_LIBS)

# the library last, where its users have been seen
$(REPLAY): $(BUILD)/tests/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $(BUILD)/libpktfs.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(BUILD)/libpktfs.a $(LIB_LIBS)

$(FUZZERS): $(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/libpktfs.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(BUILD)/libpktfs.a $(LIB_LIBS)

$(filter $(BUILD)/tests/corpus/%,$(SMALL)): $(HELPER_OBJ)
$(filter $(BUILD)/tests/corpus/%,$(SMALL)): LDFLAGS += $(OPEN_WITH)
$(SMALL): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/libpktfs.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(BUILD)/libpktfs.a $(LIB_LIBS)

$(PRELOAD): %.so: %.o
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $<

$(BUILD)/tests/tools/pktgen: $(PKTGEN_OBJ) $(BUILD)/libpktfs.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIB_LIBS)

# The same with AddressSanitizer and UndefinedBehaviorSanitizer, by the other
# compiler, in build/asan.
SANITIZE := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
ASAN     := BUILD=$(BUILD)/asan CC=clang CFLAGS="$(SANITIZE)"

asan:
	$(Q)$(MAKE) --no-print-directory $(ASAN) $(BUILD)/asan/pktfs tests

check:
	$(Q)scripts/install-packages build run test deb
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all tests
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) asan
	$(Q)tests/run

check-paths:
	$(Q)scripts/install-packages build run test
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all tests
	$(Q)tests/run --with all

demo:
	$(Q)scripts/install-packages build run
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all $(PKTGEN)
	$(Q)scripts/demo

bench:
	$(Q)scripts/install-packages build run test
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all tests
	$(Q)tests/bench/bench $(BENCH_ARGS)

# ---- fuzzing: `make fuzz FUZZ=pcapng FUZZ_SECONDS=600`; what is found goes to
# build/fuzz, and belongs into tests/fuzz/corpus, named after the bug

fuzz: $(FUZZ:%=fuzz-%)

fuzzers:
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) BUILD=$(BUILD)/fuzz CC=clang \
		CFLAGS="$(SANITIZE) -fsanitize=fuzzer-no-link" $(FUZZ:%=$(BUILD)/fuzz/tests/fuzz/fuzz_%)

fuzz-%: fuzzers
	@mkdir -p $(BUILD)/fuzz/corpus/$* tests/fuzz/corpus/$*
	$(Q)cd $(BUILD)/fuzz && tests/fuzz/fuzz_$* -max_total_time=$(FUZZ_SECONDS) -timeout=60 \
		-rss_limit_mb=1024 -print_final_stats=1 corpus/$* $(CURDIR)/tests/fuzz/corpus/$*

.PRECIOUS: $(BUILD)/tests/%.o

# ---- what goes where. @NAMES@ are filled in with the paths and the version of
# this very installation. mount(8) looks for mount.pktfs in /sbin only.

FILL := sed -e '/^\.TH /s|"pktfs"|"pktfs $(VERSION)"|' -e 's|@PREFIX@|$(PREFIX)|' \
	-e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@LIBS@|$(LIB_LIBS)|'
# fill SOURCE,PLACE
fill = install -D -m 644 /dev/null '$(DESTDIR)$(2)' && $(FILL) $(1) >'$(DESTDIR)$(2)'
# put MODE,SOURCE...,FOLDER
put = install -D -m $(1) -t '$(DESTDIR)$(3)' $(2)
# each has its name as a link to the page of the library
FUNCTIONS = $(shell sed -nE 's/^PKTFS_API .*[ *](pktfs_[a-z0-9_]+)[^a-z0-9_ ].*/\1/p' include/pktfs/*.h)

install: all
	$(Q)$(call put,755,$(BUILD)/pktfs,$(PREFIX)/bin)
	$(Q)$(call put,755,scripts/dist/mount-capture,$(PREFIX)/libexec/pktfs)
	$(Q)$(call put,644,$(BUILD)/libpktfs.a,$(LIBDIR))
	$(Q)$(call put,644,include/pktfs/*.h,$(PREFIX)/include/pktfs)
	$(Q)$(call put,644,scripts/dist/NEWS README.md LICENSE,$(SHARE)/doc/pktfs)
	$(Q)$(call put,644,scripts/dist/pktfs.xml,$(SHARE)/mime/packages)
	$(Q)install -m 644 $(BUILD)/libpktfs.so $(DESTDIR)$(LIBDIR)/libpktfs.so.$(VERSION)
	$(Q)ln -sf libpktfs.so.$(VERSION) $(DESTDIR)$(LIBDIR)/$(SONAME)
	$(Q)ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libpktfs.so
	$(Q)install -d $(DESTDIR)$(SBINDIR)
	$(Q)ln -srf $(DESTDIR)$(PREFIX)/bin/pktfs $(DESTDIR)$(SBINDIR)/mount.pktfs
	$(Q)ln -sf mount.pktfs $(DESTDIR)$(SBINDIR)/mount.fuse.pktfs
	$(Q)$(call fill,scripts/dist/libpktfs.pc.in,$(LIBDIR)/pkgconfig/libpktfs.pc)
	$(Q)$(call fill,src/cli/pktfs.1,$(SHARE)/man/man1/pktfs.1)
	$(Q)$(call fill,src/cli/mount.pktfs.8,$(SHARE)/man/man8/mount.pktfs.8)
	$(Q)ln -sf mount.pktfs.8 $(DESTDIR)$(SHARE)/man/man8/mount.fuse.pktfs.8
	$(Q)$(call fill,include/pktfs/libpktfs.3,$(SHARE)/man/man3/libpktfs.3)
	$(Q)for name in $(FUNCTIONS); do ln -sf libpktfs.3 $(DESTDIR)$(SHARE)/man/man3/$$name.3; done
	$(Q)$(call fill,src/cli/pktfs.bash,$(SHARE)/bash-completion/completions/pktfs)
	$(Q)$(call fill,scripts/dist/pktfs@.service.in,$(PREFIX)/lib/systemd/user/pktfs@.service)
	$(Q)$(call fill,scripts/dist/pktfs.desktop.in,$(SHARE)/applications/pktfs.desktop)
	$(Q)[ -n '$(DESTDIR)' ] || scripts/dist/refresh '$(SHARE)'

# what an installation into an empty directory has is removed, and folders that are
# left empty and are ours
uninstall: all
	$(Q)scripts/dist/uninstall '$(DESTDIR)' $(MAKE) --no-print-directory install

# the package for Debian, build/pktfs_VERSION_ARCHITECTURE.deb
deb:
	$(Q)scripts/install-packages build deb
	$(Q)scripts/make-deb $(BUILD)

clean:
	rm -rf $(BUILD)

-include $(shell [ ! -d $(BUILD) ] || find $(BUILD)/src $(BUILD)/tests -name '*.d' 2>/dev/null)

.PHONY: all tests asan check check-paths demo bench fuzz fuzzers install uninstall deb clean
