/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where decoded bytes come from: a mapped file, memory, a pipe, zstd, gzip.
 * A source lends bytes at an offset and knows whether its end is final; it
 * does not know what the bytes mean.
 *
 *	struct pktfs_loan loan;
 *	r = source_borrow(source, offset, 24, &loan);     (24 bytes or more)
 *	... parse loan.bytes, copy what is wanted out ...
 *	r = source_return(&loan);                         (0, or -EIO: forget it)
 *
 * The bytes of a mapped file may change while they are lent, and a file may be
 * cut: then they read as zeros, nothing crashes, and source_return says -EIO.
 * So nothing that was made from lent bytes may be given out or stored for
 * good before source_return (or source_verify) has returned 0. -EIO may come
 * from another part of the file: the second try reads without the map and
 * says how it is. Lent bytes are not for system calls (EFAULT where the file
 * was cut).
 *
 * Threads: every function may be called from any thread at any time between
 * open and close. Loans must be returned before source_close. An open may start
 * threads: fork before it. A thread that borrows must not block SIGBUS.
 *
 *	           source_open_path / _fd / _buffer
 *	                       | peeks at the first bytes
 *	   +----------+--------+----+-----------------+
 *	 file map   memory   pipe -> spool     zstd, gzip over one of these
 *
 * and source_chain_open lays several of them one behind the other.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include "util/util_base.h"

struct source;

enum source_compression {
	SOURCE_PLAIN,
	SOURCE_ZSTD,
	SOURCE_GZIP,
};

/* Who opens files; `open` NULL: open(2). See pktfs_open_options. */
struct source_opener {
	int (*open)(void *context, const char *path, int flags);
	void *context;
};

struct source_options {
	bool no_mmap;
	bool growing;               /* the file may grow: see source_grow */
	bool no_parallel;           /* one thread decompresses, and waits for the disk */
	const char *spool_dir;      /* NULL: $TMPDIR, or /var/tmp */
	uint64_t frame_cache_bytes; /* 0: SOURCE_FRAME_CACHE */
	struct source_opener opener;
};

/* Decompressed zstd frames that are kept. */
#define SOURCE_FRAME_CACHE ((uint64_t)32 << 20)

/* A zstd frame that decompresses to more than this goes to the spool file
 * instead of the frame cache. */
#define SOURCE_FRAME_LIMIT ((uint64_t)8 << 20)

/* The descriptor of a capture, by `opener` if it has a function. Negative errno. */
int source_open_file(const char *path, const struct source_opener *opener);

/*
 * Opens what is at `path`, an open descriptor (duplicated; read from its
 * start when it can seek), or memory (which must outlive the source). zstd and
 * gzip are recognised by their first bytes, never by a name. Returns at once:
 * what must be decompressed first is, by a thread of the source. A pipe is
 * waited for until its first bytes come. `options` may be NULL.
 *
 * Errors: -EISDIR a directory; -ENODATA an empty file; -ENOTSUP a socket or
 * another thing that holds no bytes, or a format of compression that we do not
 * read (bzip2, xz, lz4, ...: the message names it); else that of the system.
 */
int source_open_path(const char *path, const struct source_options *options, struct source **ret,
		     struct pktfs_error *ret_error);
int source_open_fd(int fd, const struct source_options *options, struct source **ret,
		   struct pktfs_error *ret_error);
int source_open_buffer(const void *bytes, size_t size, const struct source_options *options,
		       struct source **ret, struct pktfs_error *ret_error);

/* Ends the source's threads and frees everything. NULL is allowed. */
void source_close(struct source *source);

/* Wakes everybody who waits, with -ECANCELED, now and for ever after. */
void source_cancel(struct source *source);

enum source_compression source_compression(const struct source *source);

/* Size of the file as it is stored (0: a pipe), and its modification time; both
 * as of the last look at a file that grows. */
uint64_t source_stored_size(struct source *source);
struct pktfs_time source_stored_time(struct source *source);

/* How many decoded bytes are there by now; *ret_final: there will be no more.
 * With frames of declared size this counts what the headers claim: a frame
 * that turns out damaged, or of another size, corrects the count to the end of
 * what it gives. */
uint64_t source_available(struct source *source, bool *ret_final);

/*
 * Waits until `end` bytes are there or the end is final. 0, or -ECANCELED when
 * it would have to wait.
 */
int source_wait(struct source *source, uint64_t end);

/*
 * Lends at least `size` bytes at `offset`, and as many more behind them as
 * are at hand without copying (up to the end of a mapped file).
 *
 * Returns 0, and the bytes are loan.bytes, loan.size of them; -EAGAIN when
 * they are not there yet; -ENODATA when they lie (partly) behind the final
 * end, whatever ended it (source_problem says), but -EBADMSG when that is
 * damage of the compressed form; -EIO when the file no longer holds them;
 * -ENOMEM; -ECANCELED when another thread decompresses them and the source is
 * cancelled. After a failure *ret is zeroed or as it was. size 0 is not allowed.
 */
int source_borrow(struct source *source, uint64_t offset, size_t size, struct pktfs_loan *ret);

/*
 * Takes a loan back. 0 when its first loan->requested bytes were what the file
 * holds, -EIO when the file was cut or could not be read meanwhile.
 * source_verify says the same and leaves the bytes lent. A loan that is zeroed
 * is returned without harm.
 */
int source_return(struct pktfs_loan *loan);
int source_verify(const struct pktfs_loan *loan);

/* The same for the first `used` bytes of a loan that is larger than what was
 * asked for; whoever keeps it may set loan->requested instead. */
int source_verify_to(const struct pktfs_loan *loan, size_t used);

/*
 * `size` bytes of a loan, from its byte `at` on, will be looked at, here and there.
 * source_fetch reads them if they are not in memory (true: they had to be read): one
 * piece behind the other is the fastest. source_prepare has them ready then, in
 * larger pieces than one access at a time would.
 */
bool source_fetch(const struct pktfs_loan *loan, size_t at, size_t size);
void source_prepare(const struct pktfs_loan *loan, size_t at, size_t size);

/*
 * Who goes through the bytes in order may have those that are decompressed ahead of him
 * looked at by the thread that does so, which has them in the cache of its processor: in
 * that of another the walk over them costs more than to decompress them, and so does
 * the next use of their memory.
 *
 * `look` returns what it notes, by malloc, or NULL; any thread, several at a time.
 * `offset` is that of the bytes, or SOURCE_AHEAD: behind all that was lent so far.
 * source_set_looker: NULL, nobody any more; nobody is in `look` when it returns. No
 * source has to look. source_take_notes: what was noted of the bytes among which
 * the loan is, once; they begin at *ret_start. The caller frees it.
 */
struct source_looker {
	void *(*look)(void *context, uint64_t offset, const uint8_t *bytes, size_t size);
	void *context;
};
#define SOURCE_AHEAD UINT64_MAX
void source_set_looker(struct source *source, const struct source_looker *looker);
void *source_take_notes(const struct pktfs_loan *loan, uint64_t *ret_start);

/* Copies. Returns how many bytes, fewer than `size` only at the final end, and
 * 0 behind it (-EBADMSG if damage made it); -EAGAIN when not all are there yet;
 * otherwise the errors of source_borrow. Verified. */
int64_t source_read(struct source *source, uint64_t offset, void *bytes, size_t size);

/* The same of a few bytes that lie alone: not worth that pages around them are mapped,
 * as they are with those of a loan. */
int64_t source_peek(struct source *source, uint64_t offset, void *bytes, size_t size);

/*
 * Bytes for a system call, which could not tell what became of lent ones: until
 * source_unpin the `size` bytes at *ret are what the file holds there. It cannot be
 * cut before, as who wants to write to it waits for that long: a few
 * microseconds, please. 0; -EOPNOTSUPP: not these, or not now: source_read. Not
 * of a chain.
 */
int source_pin(struct source *source, uint64_t offset, size_t size, const void **ret);
void source_unpin(struct source *source);

/*
 * Growth. A regular file that was opened with `growing` may get longer; bytes
 * that were there never change. Its end is final (as source_available says)
 * whenever all that the file held at the last look is there, and stops being
 * so when source_grow finds more. What is unfinished at the end of a compressed
 * file is no end: what it gives so far is there, and source_problem says
 * -ENODATA as long as nothing more has come.
 *
 * source_grow looks at the size of the file, and no further than `limit` stored
 * bytes (a writer that may take back what is behind them says so). 1: it is longer, and everybody
 * who waits is told; 0: it is not, or the source does not grow; -EIO, from then on: it is shorter
 * (what is gone cannot be borrowed any more, and nothing grows). Damage ends the growth as well.
 * source_growing: it has not ended.
 *
 * source_follow: the same for a file that another program writes, of whose
 * decoded bytes nobody has made anything from `used` on: a plain file may take
 * these back (source_available goes down), or have others there later.
 *
 * source_wait_growth waits until there are more bytes than `end`, however final
 * that is: 0, or -ECANCELED. source_wait_change waits until there are more or
 * fewer, or the end is final and source_problem does not return `problem` (a
 * frame that was unfinished may end without another byte), or source_stirs does
 * not return `stirs`: source_stir counts that up, for bytes that are to be looked
 * at again although there are no more of them; and not while source_more.
 */
int source_grow(struct source *source, uint64_t limit);
int source_follow(struct source *source, uint64_t used);
int source_wait_growth(struct source *source, uint64_t end);
int source_wait_change(struct source *source, uint64_t end, int problem, unsigned stirs);
unsigned source_stirs(struct source *source);
void source_stir(struct source *source);
bool source_growing(const struct source *source);

/* The file that may grow, lent: -1 where none does; no lease is to be asked for with
 * it. source_written: has a program it open for writing? 1, 0; -1: not known. */
int source_descriptor(const struct source *source);
int source_written(struct source *source);

/* fstat of a source that is one file, plain: 0; -EOPNOTSUPP: it is not. */
struct stat;
int source_stat(struct source *source, struct stat *ret);

/*
 * Several sources, one behind the other, as one: offsets go on from part to
 * part, and a loan never reaches over the end of one (source_read does). A part
 * is there (counts in source_parts) once the end of the one before is final; an
 * offset is in the same part for ever. What is missing at the end of a part, also
 * when it turns out to be damaged later, is missing with the part's error. Only
 * the last may be growing. Takes the parts over when it returns 0; -ENOMEM. The
 * compression is that of the first, the stored size the sum, the time the latest.
 *
 * source_part_start: where part `number` (below source_parts) begins.
 * source_part_growing: source_growing, and that part is what grows.
 * source_part_cut: it is, and its file is shorter now than at the last look.
 * source_part_problem: as source_problem, of that part alone, with the chain's
 * offset; source_problem of a chain is that of the last part that is there.
 * Every other source has one part.
 */
int source_chain_open(struct source *const *parts, size_t count, struct source **ret);
size_t source_parts(struct source *source);
uint64_t source_part_start(struct source *source, size_t number);
bool source_part_growing(struct source *source, size_t number);
bool source_part_cut(struct source *source, size_t number);
int source_part_problem(struct source *source, size_t number, struct pktfs_error *ret_error);

/*
 * The same for parts that are opened when those before them have come to an end,
 * so that one is decoded at a time. source_chain_begin takes over `first` and its
 * descriptor `fd` (-1: none) when it returns 0; the others are opened with
 * `options`, whose `growing` is for the last one. `more`: parts may be added for
 * ever, and so the chain is growing. source_chain_add takes over the descriptor of
 * a part, or, with -1, the error which is what there is of it; any thread; 0,
 * -ENOMEM. What cannot be opened is a part of no bytes with a problem.
 *
 * The end of a chain is final when that of the last opened part is;
 * source_more: there are others, which nobody has opened. source_open_next opens
 * one: 1; 0: there is none, or not of the kind that is asked for; -EAGAIN: the last
 * one has just grown (`used` is as for source_follow; UINT64_MAX: as for
 * source_grow); -ENOMEM. One thread at a time. source_takes_more: `more` was
 * given.
 */
enum source_next {
	SOURCE_NEXT_AT_END, /* if the end is final */
	SOURCE_NEXT_PLAIN,  /* wherever it is, one that is not compressed */
	SOURCE_NEXT_ANY,
};
int source_chain_begin(struct source *first, int fd, const struct source_options *options,
		       bool more, struct source **ret);
int source_chain_add(struct source *chain, int fd, const struct pktfs_error *error);
int source_open_next(struct source *source, enum source_next how, uint64_t used);
bool source_more(struct source *source);
bool source_takes_more(const struct source *source);

/* Of a chain that was begun so: its parts, opened or not. source_file_lose: the
 * bytes of one are others by now, or are not wanted any more as it has no name:
 * from now on borrowing any gives -EIO, the file is let go of, and
 * source_file_stat tells what it was then. */
struct source_file_info {
	bool opened;
	bool lost;
	enum source_compression compression; /* if opened */
	uint64_t size;                       /* stored */
	struct pktfs_time time;
};
size_t source_files(struct source *source);
void source_file_get(struct source *source, size_t number, struct source_file_info *ret);
int source_file_stat(struct source *source, size_t number, struct stat *ret); /* fstat */
void source_file_lose(struct source *source, size_t number);

/*
 * What ended the source before its proper end, with its offset in the decoded
 * bytes: damaged or cut compression, a full spool disk, a read error. Returns
 * its code (negative: -EBADMSG damaged; -ENODATA cut; -ENOTSUP a zstd
 * dictionary; -EFBIG too large a window, or too little room for the spool;
 * -ENOSPC, -EIO and others from the system) or 0. Damage in a zstd frame that
 * is decompressed on demand is known once somebody has read it. An earlier
 * problem replaces a later one. What the frame gives before its damage can be
 * read, and the offset is behind that: the whole frame where the checksum or
 * the size alone is wrong (of a larger size than SOURCE_FRAME_LIMIT, so much).
 */
int source_problem(struct source *source, struct pktfs_error *ret_error);

#endif
