/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index thread: walks the records in batches. A batch is walked over lent
 * bytes, then the bytes are verified, then the batch is published; one whose
 * bytes were changed or cut meanwhile is thrown away and walked again record
 * by record, so that what was sound is kept and nothing is invented.
 *
 * Where the bytes end, that is published; if the source may grow, the thread
 * waits for more and goes on behind the last whole record.
 */
#include "index_internal.h"

#include <assert.h>
#include <string.h>

/* Are there more bytes than when the walk came to its end? */
static bool has_grown(struct index *index, uint64_t there, uint64_t need)
{
	return index_part_end(index) == UINT64_MAX && there >= index->next.end &&
	       there - index->next.end >= need;
}

/*
 * The bytes of the part at hand end before `need` of them are at next.end.
 * Between two records that is a proper end. INDEX_RUNNING: they have come
 * meanwhile.
 */
static enum index_state at_end(struct index *index, uint64_t need, struct pktfs_error *ret_error)
{
	uint64_t there = source_available(index->source, NULL);
	uint64_t found, at = index->next.end - index->part_start;
	int r;

	if (has_grown(index, there, need))
		return INDEX_RUNNING;
	index->end_next.reached = there;
	there = MIN(there, index_part_end(index));
	r = index_part_problem(index, ret_error);
	index->end_next.source_problem = r;
	if (r < 0)
		return r == -ENODATA ? INDEX_TRUNCATED : INDEX_DAMAGED;
	if (there <= index->next.end)
		return INDEX_COMPLETE;
	found = there - index->next.end;
	error_at(ret_error, -ENODATA, at,
		 "record cut at the end of the file: found %llu bytes of it; it needs %llu",
		 (unsigned long long)found, (unsigned long long)need);
	return INDEX_TRUNCATED;
}

/* A failed borrow or step that is not the end of the bytes. */
static enum index_state damaged(struct index *index, int r, struct pktfs_error *error)
{
	uint64_t at = index->next.end - index->part_start;

	if (r == -EBADMSG && !error->code && index_part_problem(index, error) == 0)
		error_at(error, r, at, "compressed data is damaged");
	if (!error->code)
		error_at(error, r, at, "cannot be read: %s", strerror(-r));
	return INDEX_DAMAGED;
}

/* What a failed borrow or step means for the index; INDEX_RUNNING: go on. */
static enum index_state stopped(struct index *index, int r, uint64_t need,
				struct pktfs_error *error)
{
	enum index_state state;

	if (r == -EAGAIN) /* not there yet */
		source_wait(index->source, index->next.end + need);
	if (r == -EAGAIN || r == -ECANCELED)
		return INDEX_RUNNING;
	if (r == -ENOMSG || (r == -EIO && index->followed && index_doubts(index, r, NULL)))
		state = index_doubt(index, error);
	else
		state = r == -ENODATA ? at_end(index, need, error) : damaged(index, r, error);
	if (state == INDEX_RUNNING)
		return state;
	if (error->code)
		index_part_error(index, error);
	return r == -ENOMEM || index->full ? index_end_at(index, state, error)
					   : index_part_leave(index, state, error);
}

/*
 * Is the batch, which ended with `r`, all that there is? Then it is published
 * together with the end, so that nobody sees the one without the other.
 */
static bool ends_here(struct index *index, int r, uint64_t need)
{
	struct pktfs_error error = {0};
	enum index_state state = INDEX_RUNNING;
	bool final;

	source_available(index->source, &final);
	/* compressed: what was said of the end stays until it is known */
	if (!final || source_more(index->source))
		return false;
	index_end_passed(index);
	if (index_part_end(index) == UINT64_MAX && (r == 0 || r == -EAGAIN))
		state = at_end(index, need, &error);
	else if (r == -ENOMSG)
		state = index_doubt(index, &error);
	if (state == INDEX_RUNNING)
		return false;
	if (error.code)
		index_part_error(index, &error);
	index_end_at(index, state, &error);
	return true;
}

/* How a walk gets on: larger batches while it gets on well. */
struct progress {
	unsigned limit, stale;
	uint64_t need;
	uint64_t length; /* of a record of the last batch, on average */
	struct index_scouts *scouts;
	unsigned lost; /* times that they lost their way, in a row, doubled each time */
	unsigned rest; /* batches without them */
};

#define LOST_MAX 64u

static void note_length(const struct index *index, struct progress *progress, uint64_t start,
			uint64_t records)
{
	if (index->next.records > records)
		progress->length = (index->next.end - start) / (index->next.records - records);
}

/*
 * Walks and publishes one batch, and gives the loan back before anybody can know
 * of it. Returns 0, or -EAGAIN (progress->need bytes at next.end are wanted), or
 * what stops the walk; what was walked before that is published. -ESTALE: the
 * bytes changed under the walk, and the batch was thrown away.
 */
static int walk_batch(struct index *index, struct pktfs_loan *loan, struct progress *progress,
		      struct pktfs_error *ret_error)
{
	struct format_walk walk = index->walk;
	uint64_t start = index->next.end, end = start + loan->size;
	uint64_t records = index->next.records;
	int r = index_walk_window(index, loan, progress->limit, &progress->need, ret_error);

	assert(r != -EAGAIN || index->next.end + progress->need > end);
	loan->requested = (size_t)(index->next.end - start);
	if (source_return(loan) < 0) {
		index_discard(index, &walk);
		return -ESTALE;
	}
	note_length(index, progress, start, records);
	progress->rest -= progress->rest > 0;
	index_publish(index, ends_here(index, r, progress->need));
	return r;
}

static void end_scouts(struct progress *progress)
{
	index_scouts_free(progress->scouts);
	progress->scouts = NULL;
}

/* The same with a batch in which scouts have been. */
static int merge_batch(struct index *index, struct progress *progress,
		       struct pktfs_error *ret_error)
{
	const struct pktfs_loan *loan = index_scouts_loan(progress->scouts);
	const struct scout_window *window = index_scouts_window(progress->scouts);
	struct format_walk walk = index->walk;
	uint64_t start = index->next.end, records = index->next.records;
	int r = index_merge_window(index, loan, window, &progress->need, ret_error);

	if (source_verify_to(loan, (size_t)(index->next.end - loan->offset)) < 0) {
		end_scouts(progress);
		index_discard(index, &walk);
		return -ESTALE;
	}
	note_length(index, progress, start, records);
	if (r == 0)
		index_scouts_next(progress->scouts, progress->length,
				  (uint32_t)index->next.last_time.sec);
	else
		index_scouts_recall(progress->scouts);
	progress->lost = r > 0 ? MIN(progress->lost * 2 + 1, LOST_MAX) : 0;
	progress->rest = progress->lost;
	if (!index_scouts_sent(progress->scouts)) {
		end_scouts(progress);
		progress->rest = MAX(progress->lost, 1u); /* what is left over is walked */
	}
	index_publish(index, ends_here(index, MIN(r, 0), progress->need));
	return MIN(r, 0);
}

/* The same with a batch that was noted when it was decompressed: takes the loan, too. */
static int noted_batch(struct index *index, struct pktfs_loan *loan,
		       const struct index_noted *noted, struct progress *progress,
		       struct pktfs_error *ret_error)
{
	struct format_walk walk = index->walk;
	uint64_t start = index->next.end, records = index->next.records;
	int r = index_merge_window(index, loan, &noted->window, &progress->need, ret_error);

	loan->requested = (size_t)(index->next.end - start);
	if (source_return(loan) < 0) {
		index_discard(index, &walk);
		return -ESTALE;
	}
	note_length(index, progress, start, records);
	progress->lost = r > 0 ? MIN(progress->lost * 2 + 1, LOST_MAX) : 0;
	progress->rest = progress->lost;
	index_publish(index, ends_here(index, MIN(r, 0), progress->need));
	return MIN(r, 0);
}

/* Lends `need` bytes at the end of the walk; -ENODATA also where the bytes there
 * are of the next part. */
static int borrow(struct index *index, uint64_t need, struct pktfs_loan *ret)
{
	int r = source_borrow(index->source, index->next.end, (size_t)need, ret);

	/* asked in this order: the next part may have come just now */
	if (likely(index_part_end(index) > index->next.end))
		return r;
	if (r == 0)
		source_return(ret);
	return -ENODATA;
}

/* A file that is longer than what has been written of it. */
static bool ends_in_zeros(const struct pktfs_loan *loan)
{
	static const uint8_t zeros[64];
	const size_t size = MIN(loan->size, sizeof(zeros));

	return memcmp(loan->bytes + loan->size - size, zeros, size) == 0;
}

/* How much of it is to be walked only: whoever writes the file may take back its end,
 * or fill it somewhere. */
static uint64_t left_alone(const struct index *index, const struct pktfs_loan *loan)
{
	if (!index->followed)
		return 0;
	if (!atomic_load(&index->active))
		return index->plan.tail;
	return ends_in_zeros(loan) ? UINT64_MAX : index->plan.active_tail;
}

/* Does it get on so well, in batches of so many records, that it is worth its while? */
static bool may_scout(const struct index *index, const struct progress *progress,
		      unsigned patience)
{
	return !index->plan.off && !progress->rest && progress->limit >= patience &&
	       progress->length && !index->filling && index->next.has_time &&
	       format_can_scan(&index->walk);
}

/* Sends scouts ahead, if there is enough to be seen. */
static void send_scouts(struct index *index, struct progress *progress)
{
	const struct index_scout_plan *plan = &index->plan;
	struct pktfs_loan loan;
	uint64_t size;

	/* need: the walk is at a record that is not all there */
	if (progress->need > 1 || !may_scout(index, progress, plan->patience) ||
	    borrow(index, 1, &loan) < 0)
		return;
	size = loan.size - MIN((uint64_t)loan.size, left_alone(index, &loan));
	if (!progress->scouts && size >= plan->least)
		progress->scouts = index_scouts_new(plan);
	if (progress->scouts && size >= plan->least)
		index_scouts_send(progress->scouts, &index->walk, &loan, loan.offset + size,
				  progress->length, (uint32_t)index->next.last_time.sec);
	source_return(&loan);
}

/* Batches do not become larger than a frame. */
static bool may_look(const struct index *index, const struct progress *progress)
{
	return may_scout(index, progress, MIN(index->plan.patience, INDEX_BATCH_FIRST * 4));
}

/* Tells those who decompress where the walk is. */
static void tell_look(struct index *index, const struct progress *progress)
{
	const struct index_look_from from = {
		.on = may_look(index, progress),
		.walk = index->walk,
		.origin = index->next.end,
		.length = progress->length,
		.seconds = (uint32_t)index->next.last_time.sec,
	};

	index_look_set(&index->look, &from);
}

/* Does it come to its end in front of what is to be walked only? */
static bool is_settled(struct index *index, const struct pktfs_loan *loan)
{
	uint64_t left = left_alone(index, loan), end = loan->offset + loan->size;

	return !left || (end < UINT64_MAX - left &&
			 end + left <= source_available(index->source, NULL));
}

/* What is noted of a loan, if it is wanted. */
static struct index_noted *take_noted(struct index *index, const struct pktfs_loan *loan,
				      const struct progress *progress)
{
	struct index_noted *noted = index_look_take(loan, &index->walk);

	if (noted && may_look(index, progress) && is_settled(index, loan))
		return noted;
	free(noted);
	return NULL;
}

/* Walks what is lent. */
static int take_batch(struct index *index, struct pktfs_loan *loan, struct progress *progress,
		      struct pktfs_error *error)
{
	_cleanup_free_ struct index_noted *noted = take_noted(index, loan, progress);
	int r = noted ? noted_batch(index, loan, noted, progress, error)
		      : walk_batch(index, loan, progress, error);

	tell_look(index, progress);
	return r;
}

static bool cancelled(struct index *index)
{
	UTIL_LOCK_SCOPE(&index->lock);
	return index->cancelled;
}

/* One batch: 0, -EAGAIN, or what stops the walk. */
static int advance(struct index *index, struct progress *progress, struct pktfs_error *error)
{
	struct pktfs_loan loan;
	int r;

	if (!index_scouts_sent(progress->scouts))
		send_scouts(index, progress);
	if (index_scouts_sent(progress->scouts)) {
		progress->need = 1;
		r = merge_batch(index, progress, error);
	} else {
		r = borrow(index, progress->need, &loan);
		if (r < 0)
			return r;
		progress->need = 1;
		r = take_batch(index, &loan, progress, error);
	}
	if (r == -EAGAIN) /* borrow the whole record */
		return 0;
	if (r == -ESTALE && (progress->limit > 1 || ++progress->stale < 3)) {
		progress->limit = 1;
		return 0;
	}
	if (r != -ESTALE)
		progress->stale = 0;
	progress->limit = MIN(progress->limit * 2, INDEX_BATCH_LAST);
	return r == -ESTALE ? -EIO : r;
}

/* Walks until the capture ends or is left; returns how its last part ended. */
static enum index_state walk(struct index *index)
{
	struct progress progress = {.limit = INDEX_BATCH_FIRST, .need = 1};
	enum index_state state = INDEX_RUNNING;
	struct pktfs_error error = {0};
	int r;

	index->stirs = source_stirs(index->source);
	index->doubting = false;
	while (state == INDEX_RUNNING && !cancelled(index)) {
		error.code = 0;
		if (!index->part_open) {
			progress.need = 1;
			state = index_part_open(index);
			continue;
		}
		r = advance(index, &progress, &error);
		if (r < 0)
			state = stopped(index, r, progress.need, &error);
	}
	index_scouts_free(progress.scouts);
	return state;
}

/* Has all been said of the end that there is to say? */
static bool is_published(struct index *index)
{
	const struct index_end *seen = &index->end_seen, *next = &index->end_next;

	UTIL_LOCK_SCOPE(&index->lock);
	return seen->state == next->state && seen->final == next->final &&
	       seen->reached == next->reached && seen->problem.code == next->problem.code;
}

/* What there is, and says how it ends; INDEX_RUNNING: cancelled. */
static enum index_state walk_to_end(struct index *index)
{
	enum index_state state;

	UTIL_LOCK_SCOPE(&index->walking);
	if (!index->loaded)
		index_load(index);
	index->loaded = true;
	state = walk(index);
	if (state == INDEX_RUNNING)
		return state;
	if (!is_published(index))
		index_publish(index, true);
	atomic_store(&index->in_doubt, index->doubting);
	return state;
}

void *index_thread_main(void *arg)
{
	struct index *index = arg;

	while (walk_to_end(index) != INDEX_RUNNING && !index->end_next.final &&
	       source_wait_change(index->source, index->end_next.reached,
				  index->end_next.source_problem, index->stirs) == 0)
		;
	return NULL;
}
