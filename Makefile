# SPDX-License-Identifier: BSD-2-Clause
# pktfs: see README.md. Everything that is built goes to build/.
#
#	make            the program build/pktfs and the library build/libpktfs.{a,so}
#	make demo       installs what is missing, builds, mounts a sample capture, shows it
#	make check      installs what is missing, builds, runs every test
#	make bench      figures, as ratios to a baseline measured in the same run
#	make fuzz       each fuzz target for FUZZ_SECONDS
#	make install    DESTDIR and PREFIX are respected

CC      ?= cc
CFLAGS  ?= -O2 -g
BUILD   ?= build
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
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

all: $(BUILD)/pktfs $(BUILD)/libpktfs.a $(BUILD)/libpktfs.so $(BUILD)/libpktfs.pc

$(BUILD)/src/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(PKTFS_CFLAGS) $(WARN) $(if $(filter src/fs/% src/cli/%,$<),$(FUSE_CFLAGS)) $(CFLAGS) -c -o $@ $<

$(BUILD)/libpktfs.a: $(LIB_OBJ)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/libpktfs.so: $(LIB_OBJ)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(SONAME) -o $@ $^ $(LIB_LIBS)

$(BUILD)/pktfs: $(PROG_OBJ) $(BUILD)/libpktfs.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(FUSE_LIBS) $(PROG_LIBS) $(LIB_LIBS)

# always made anew: PREFIX may be another than the last time
$(BUILD)/libpktfs.pc: always
	@mkdir -p $(@D)
	$(Q)printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' 'includedir=$${prefix}/include' '' \
		'Name: libpktfs' 'Description: Reads packet captures: pcap, pcapng, zstd, gzip' \
		'Version: $(VERSION)' 'Libs: -L$${libdir} -lpktfs' \
		'Libs.private: $(LIB_LIBS)' 'Cflags: -I$${includedir}' >$@

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

tests: $(UNIT) $(REPLAY) $(SMALL) $(PRELOAD) $(PKTGEN)

$(BUILD)/tests/%.o: tests/%.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CFLAGS) $(if $(filter tests/unit/test_fs% tests/unit/test_cli%,$<),$(FUSE_CFLAGS)) $(CFLAGS) -c -o $@ $<

INNER_UNIT := $(filter $(addprefix $(BUILD)/tests/unit/test_,append% view% fs% cli%),$(UNIT))
$(INNER_UNIT): $(BUILD)/%: $(BUILD)/%.o $(HELPER_OBJ) $(INNER_OBJ) $(BUILD)/libpktfs.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(FUSE_LIBS) $(PROG_LIBS) $(LIB_LIBS)

$(filter-out $(INNER_UNIT),$(UNIT)): $(BUILD)/%: $(BUILD)/%.o $(HELPER_OBJ) $(BUILD)/libpktfs.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LIB_LIBS)

INNER_REPLAY := $(filter $(addprefix $(BUILD)/tests/fuzz/replay_,append% view% cli%),$(REPLAY))
INNER_FUZZER := $(INNER_REPLAY:$(BUILD)/tests/fuzz/replay_%=$(BUILD)/tests/fuzz/fuzz_%)
$(INNER_REPLAY) $(INNER_FUZZER): $(INNER_OBJ)
$(INNER_REPLAY) $(INNER_FUZZER): LIB_LIBS += $(FUSE_LIBS) $(PROG_LIBS)

# the library last, where its users have been seen
$(REPLAY): $(BUILD)/tests/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $(BUILD)/libpktfs.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(BUILD)/libpktfs.a $(LIB_LIBS)

$(FUZZERS): $(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/libpktfs.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(BUILD)/libpktfs.a $(LIB_LIBS)

$(SMALL): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/libpktfs.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIB_LIBS)

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
	$(Q)scripts/install-packages build run test
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all tests
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) asan
	$(Q)tests/run

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
	$(Q)cd $(BUILD)/fuzz && tests/fuzz/fuzz_$* -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
		-rss_limit_mb=1024 -print_final_stats=1 corpus/$* $(CURDIR)/tests/fuzz/corpus/$*

.PRECIOUS: $(BUILD)/tests/%.o

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBDIR)/pkgconfig \
		$(DESTDIR)$(PREFIX)/include/pktfs $(DESTDIR)$(PREFIX)/share/man/man1
	install $(BUILD)/pktfs $(DESTDIR)$(PREFIX)/bin/
	install -m 644 $(BUILD)/libpktfs.a $(DESTDIR)$(LIBDIR)/
	install $(BUILD)/libpktfs.so $(DESTDIR)$(LIBDIR)/libpktfs.so.$(VERSION)
	ln -sf libpktfs.so.$(VERSION) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libpktfs.so
	install -m 644 $(BUILD)/libpktfs.pc $(DESTDIR)$(LIBDIR)/pkgconfig/
	install -m 644 include/pktfs/*.h $(DESTDIR)$(PREFIX)/include/pktfs/
	install -m 644 $(wildcard src/cli/*.1) $(DESTDIR)$(PREFIX)/share/man/man1/

clean:
	rm -rf $(BUILD)

-include $(shell [ ! -d $(BUILD) ] || find $(BUILD)/src $(BUILD)/tests -name '*.d' 2>/dev/null)

.PHONY: always all tests asan check demo bench fuzz fuzzers install clean
