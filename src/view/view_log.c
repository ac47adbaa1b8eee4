/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * info/log: the last lines of what went wrong since the start.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/util_time.h"
#include "view_private.h"

#define RING_LINES 256u
#define RING_LINE  512u

struct view_ring {
	pthread_mutex_t lock;
	/* under lock */
	char *lines[RING_LINES];
	unsigned next;
	uint64_t count;
};

struct view_ring *view_ring_new(void)
{
	struct view_ring *ring = calloc(1, sizeof(*ring));

	if (ring)
		pthread_mutex_init(&ring->lock, NULL);
	return ring;
}

void view_ring_free(struct view_ring *ring)
{
	unsigned i;

	if (!ring)
		return;
	for (i = 0; i < RING_LINES; i++)
		free(ring->lines[i]);
	pthread_mutex_destroy(&ring->lock);
	free(ring);
}

void view_ring_text(struct view_ring *ring, struct text *text)
{
	unsigned i;

	UTIL_LOCK_SCOPE(&ring->lock);
	for (i = 0; i < RING_LINES; i++) {
		const char *line = ring->lines[(ring->next + i) % RING_LINES];

		if (line)
			text_string(text, line);
	}
}

uint64_t view_ring_count(struct view_ring *ring)
{
	UTIL_LOCK_SCOPE(&ring->lock);
	return ring->count;
}

static void add(struct view_ring *ring, const char *message)
{
	char when[TIME_TEXT_ROOM], line[RING_LINE + TIME_TEXT_ROOM + 2], *copy, *at;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	time_format((struct pktfs_time){.sec = now.tv_sec, .nsec = (uint32_t)now.tv_nsec}, when);
	snprintf(line, sizeof(line), "%s %s", when, message);
	for (at = line; *at; at++)
		if ((unsigned char)*at < ' ')
			*at = ' ';
	*at++ = '\n';
	*at = '\0';
	copy = strdup(line);
	if (!copy)
		return;
	UTIL_LOCK_SCOPE(&ring->lock);
	free(ring->lines[ring->next]);
	ring->lines[ring->next] = copy;
	ring->next = (ring->next + 1) % RING_LINES;
	ring->count++;
}

void view_log(struct view *view, const char *format, ...)
{
	char message[RING_LINE];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	add(view->ring, message);
}

void view_log_once(struct view *view, enum view_said what, const char *format, ...)
{
	char message[RING_LINE];
	va_list args;

	if (atomic_fetch_or(&view->said, (unsigned)what) & what)
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	add(view->ring, message);
}
