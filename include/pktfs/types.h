/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The types that every part of libpktfs speaks: time, errors, options.
 *
 * Errors are negative errno values, from a fixed vocabulary:
 *
 *	-EBADMSG  the bytes contradict the format     all before is readable
 *	-ENODATA  the file ends inside a record       all before is readable
 *	-EAGAIN   the same, but more may come         retry
 *	-ENOTSUP  valid, but of an unknown kind       nothing of it is readable
 *	-EFBIG    above one of our ceilings           all before is readable
 *	-EIO, -ENOMEM, ...  the system failed         retry
 *
 * Every function that takes a `struct pktfs_error *ret_error` fills it when it
 * fails and leaves it alone when it does not; NULL is allowed.
 */
#ifndef PKTFS_TYPES_H
#define PKTFS_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PKTFS_API __attribute__((visibility("default")))
#else
#define PKTFS_API
#endif

/* A point in time: seconds since 1970-01-01T00:00:00Z (may be negative or far
 * beyond 2106) and nanoseconds, 0 to 999,999,999. */
struct pktfs_time {
	int64_t sec;
	uint32_t nsec;
};

/* What a person needs to know of a failure. */
struct pktfs_error {
	int code;            /* the negative errno that was returned */
	int has_offset;      /* `offset` means something */
	uint64_t offset;     /* in the decompressed bytes of the capture */
	char text[232];      /* one line, no final full stop, UTF-8 */
};

/* Private: what a release function needs to know of lent bytes. */
struct pktfs_loan {
	void *source;
	void *hold;
	const uint8_t *bytes;
	size_t size;
	size_t requested; /* bytes from the start that the return verifies */
	uint64_t offset;
};

/* One option of a pcapng block (draft section 3.5). `value` is lent by the
 * block that the option is in, and is not NUL terminated. */
struct pktfs_option {
	uint16_t code;
	uint16_t length;
	const uint8_t *value;
};

/* The options of one block, in the byte order of its section. A value, to be
 * copied freely: an iterator is a copy of it. */
struct pktfs_options {
	const uint8_t *bytes;
	size_t size;
	int big_endian;
};

/*
 * Takes the next option off the front of `options`.
 *
 * Returns 1 and the option; 0 at the end (opt_endofopt, or no bytes left:
 * both end a list, many writers leave opt_endofopt out); -EBADMSG when an
 * option does not fit into its block, after which nothing more can be read.
 */
PKTFS_API int pktfs_option_next(struct pktfs_options *options, struct pktfs_option *ret);

/*
 * Finds the `index`-th option (from 0) with `code`. Returns 1 and the option,
 * or 0 when there is none.
 */
PKTFS_API int pktfs_option_find(struct pktfs_options options, uint16_t code, unsigned index,
				struct pktfs_option *ret);

/* The numbers that an option's value holds, in the byte order of its list.
 * The caller has checked that `length` is at least 2, 4 or 8. */
PKTFS_API uint16_t pktfs_option_u16(const struct pktfs_options *options,
				    const struct pktfs_option *option);
PKTFS_API uint32_t pktfs_option_u32(const struct pktfs_options *options,
				    const struct pktfs_option *option);
PKTFS_API uint64_t pktfs_option_u64(const struct pktfs_options *options,
				    const struct pktfs_option *option);

/*
 * A time in ticks of an interface, as EPBs and isb_starttime have it, as a
 * point in time: `resolution` is an if_tsresol (10^-n, or 2^-(n & 127) with
 * bit 7), `offset_seconds` an if_tsoffset. Fractions below a nanosecond are
 * cut, seconds saturate at the range of int64_t.
 */
PKTFS_API struct pktfs_time pktfs_time_from_ticks(uint64_t ticks, uint8_t resolution,
						  int64_t offset_seconds);

/* Short name of a pcapng block type: "shb", "idb", "epb", "nrb", "dsb", "cb",
 * ...; NULL for one that is not known. Static storage. */
PKTFS_API const char *pktfs_block_type_name(uint32_t type);

/* The name of a LINKTYPE without its prefix ("ETHERNET", "RAW"), or NULL when
 * the registry has none. Static storage. */
PKTFS_API const char *pktfs_linktype_name(uint16_t link_type);

/* The LINKTYPE of a name, in any case, with or without "LINKTYPE_", or of a
 * decimal number. Returns it, or -ENOENT. */
PKTFS_API int pktfs_linktype_by_name(const char *name);

#ifdef __cplusplus
}
#endif

#endif
