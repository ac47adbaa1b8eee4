/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcap-filter(7) expressions, compiled by libpcap for each link type of the
 * capture and run by its interpreter. The link type is given to libpcap as the
 * header of an empty pcap file, so that it maps LINKTYPE_ numbers to its own
 * DLT_ numbers as it does for `tcpdump -r`.
 */
#include <pcap/pcap.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "set_predicate.h"
#include "write/write_encode.h"

/* More link types than this in one capture are not filtered. */
#define FILTER_PROGRAMS 128u

/* As `tcpdump -r` has it: "ip broadcast" is all ones or all zeros. */
#define FILTER_NETMASK 0

struct program {
	uint16_t link_type;
	bool big_endian; /* NULL's family is in the byte order of the writer */
	bool exists; /* the expression makes sense for it */
	struct bpf_program code;
	struct program *next;
};

struct filter {
	pktfs_capture *capture;
	char *expression;
	pthread_mutex_t lock; /* held while a program is added */
	unsigned count;       /* under lock */
	struct program *_Atomic first; /* published: never changed, and read without the lock */
};

/* libpcap's compiler has static variables in some versions. */
static pthread_mutex_t compiler = PTHREAD_MUTEX_INITIALIZER;

/* libpcap's handle for an empty file of this link type. */
static pcap_t *open_empty(uint16_t link_type, bool big_endian, char errbuf[PCAP_ERRBUF_SIZE])
{
	const struct write_pcap_header header = {
		.big_endian = big_endian,
		.snaplen = 262144,
		.link_type = link_type,
		.fcs_length = -1,
	};
	_cleanup_(text_free) struct text text = {0};
	pcap_t *pcap;
	FILE *file;

	write_pcap_header(&text, &header);
	if (text.failed)
		return NULL;
	file = fmemopen(text.bytes, text.size, "r");
	if (!file)
		return NULL;
	pcap = pcap_fopen_offline(file, errbuf); /* takes the file over */
	if (!pcap)
		fclose(file);
	return pcap;
}

/* Compiles for one link type. 0; -EINVAL with libpcap's words; -ENOMEM. */
static int compile(const char *expression, uint16_t link_type, bool big_endian,
		   struct bpf_program *ret, struct pktfs_error *ret_error)
{
	char errbuf[PCAP_ERRBUF_SIZE] = "no memory";
	pcap_t *pcap;
	int r = 0;

	pthread_mutex_lock(&compiler);
	pcap = open_empty(link_type, big_endian, errbuf);
	if (!pcap)
		r = error_set(ret_error, -ENOMEM, "filter: %.180s", errbuf);
	else if (pcap_compile(pcap, ret, expression, 1, FILTER_NETMASK) < 0)
		r = error_set(ret_error, -EINVAL, "filter: %.180s", pcap_geterr(pcap));
	if (pcap)
		pcap_close(pcap);
	pthread_mutex_unlock(&compiler);
	return r;
}

/* Adds the program for a link type; with the lock held. */
static int add(struct filter *filter, uint16_t link_type, bool big_endian,
	       struct pktfs_error *ret_error)
{
	struct program *program;
	int r;

	if (filter->count == FILTER_PROGRAMS)
		return -EFBIG;
	program = calloc(1, sizeof(*program));
	if (!program)
		return error_set(ret_error, -ENOMEM, "filter: no memory");
	r = compile(filter->expression, link_type, big_endian, &program->code, ret_error);
	if (r == -ENOMEM) {
		free(program);
		return r;
	}
	program->link_type = link_type;
	program->big_endian = big_endian;
	program->exists = r == 0;
	program->next = atomic_load_explicit(&filter->first, memory_order_relaxed);
	filter->count++;
	atomic_store_explicit(&filter->first, program, memory_order_release);
	return r;
}

static void filter_close(void *state)
{
	struct filter *filter = state;
	struct program *program, *next;

	if (!filter)
		return;
	for (program = filter->first; program; program = next) {
		next = program->next;
		if (program->exists)
			pcap_freecode(&program->code);
		free(program);
	}
	pthread_mutex_destroy(&filter->lock);
	free(filter->expression);
	free(filter);
}

/*
 * The expression must make sense for one link type of the capture. While more
 * may come, one that makes sense for none so far is not refused yet.
 */
static int compile_all(struct filter *filter, struct pktfs_error *ret_error)
{
	struct pktfs_error error = {0};
	struct pktfs_link_type type;
	struct pktfs_status status;
	unsigned i, good = 0;
	int r;

	pktfs_status_get(filter->capture, &status);
	for (i = 0; pktfs_link_type_get(filter->capture, i, &type) == 0; i++) {
		r = add(filter, type.link_type, false, good || error.code ? NULL : &error);
		good += r == 0;
		if (r == -ENOMEM)
			return error_set(ret_error, r, "filter: no memory");
	}
	if (good)
		return 0;
	if (i == 0 && status.state != PKTFS_STATE_INDEXING)
		return add(filter, 1, false, ret_error); /* an empty capture: as for Ethernet */
	if (status.state == PKTFS_STATE_INDEXING)
		return error_set(ret_error, -EAGAIN, "filter: not enough is indexed yet");
	if (ret_error)
		*ret_error = error;
	return -EINVAL;
}

static int filter_open(pktfs_capture *capture, const char *expression, void **ret_state,
		       struct pktfs_error *ret_error)
{
	struct filter *filter = calloc(1, sizeof(*filter));
	int r = -ENOMEM;

	if (filter) {
		pthread_mutex_init(&filter->lock, NULL);
		filter->capture = capture;
		filter->expression = strdup(expression);
		if (filter->expression)
			r = compile_all(filter, ret_error);
	}
	if (r < 0) {
		filter_close(filter);
		return r == -ENOMEM ? error_set(ret_error, r, "filter: no memory") : r;
	}
	*ret_state = filter;
	return 0;
}

static struct program *find(struct filter *filter, uint16_t link_type, bool big_endian)
{
	struct program *program = atomic_load_explicit(&filter->first, memory_order_acquire);

	while (program && (program->link_type != link_type || program->big_endian != big_endian))
		program = program->next;
	return program;
}

/* The program for a link type, compiled now if it came up later. */
static struct program *program_for(struct filter *filter, uint16_t link_type,
				    bool big_endian)
{
	struct program *program = find(filter, link_type, big_endian);

	if (likely(program))
		return program;
	UTIL_LOCK_SCOPE(&filter->lock);
	program = find(filter, link_type, big_endian);
	if (!program && add(filter, link_type, big_endian, NULL) != -ENOMEM)
		program = find(filter, link_type, big_endian);
	return program;
}

static int filter_matches(void *state, void *scratch, const struct pktfs_packet *packet)
{
	struct program *program = program_for(state, packet->link_type,
					      packet->options.big_endian);

	(void)scratch;
	if (!program || !program->exists)
		return 0;
	return bpf_filter(program->code.bf_insns, packet->data, packet->original_length,
			  packet->captured_length) != 0;
}

const struct set_predicate set_filter_predicate = {
	.open = filter_open,
	.close = filter_close,
	.matches = filter_matches,
};
