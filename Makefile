# SPDX-License-Identifier: BSD-2-Clause
# pktfs: see README.md. Everything that is built goes to build/.

CC      ?= cc
CFLAGS  ?= -O2 -g
BUILD   ?= build
Q       := $(if $(V),,@)

WARN := -Wall -Wextra -Wconversion -Wshadow -Wcast-qual -Wvla -Wformat=2 -Wundef \
	-Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes
ifdef CI
WARN += -Werror
endif

PKTFS_CFLAGS := -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Iinclude -Isrc \
	-fvisibility=hidden -fPIC -pthread $(WARN) -MMD -MP
FUSE_CFLAGS = $(shell pkg-config --cflags fuse3) -DFUSE_USE_VERSION=312
FUSE_LIBS   = $(shell pkg-config --libs fuse3)
LIB_LIBS    := -lzstd -lz -pthread

LIB_SRC  := $(wildcard $(addprefix src/,$(addsuffix /*.c,util source format index capture write set)))
PROG_SRC := $(wildcard $(addprefix src/,$(addsuffix /*.c,view fs cli)))
LIB_OBJ  := $(LIB_SRC:%.c=$(BUILD)/%.o)
PROG_OBJ := $(PROG_SRC:%.c=$(BUILD)/%.o)

all: $(BUILD)/pktfs $(BUILD)/libpktfs.a $(BUILD)/libpktfs.so

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(PKTFS_CFLAGS) $(if $(filter src/fs/% src/cli/%,$<),$(FUSE_CFLAGS)) $(CFLAGS) -c -o $@ $<

$(BUILD)/libpktfs.a: $(LIB_OBJ)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/libpktfs.so: $(LIB_OBJ)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,libpktfs.so.0 -o $@ $^ $(LIB_LIBS)

$(BUILD)/pktfs: $(PROG_OBJ) $(BUILD)/libpktfs.a
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(FUSE_LIBS) $(LIB_LIBS)

clean:
	rm -rf $(BUILD)

-include $(LIB_OBJ:.o=.d) $(PROG_OBJ:.o=.d)

.PHONY: all clean
