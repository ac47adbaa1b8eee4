/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "format/format.h"
#include "pktgen_sample.h"
#include "write/write_encode.h"

#define DSB_TLS_KEY_LOG 0x544c534bu
#define LINK_ETHERNET   1
#define SNAPLEN         262144u

static void string_option(struct text *text, uint16_t code, const char *value, bool be)
{
	write_option(text, code, value, strlen(value), be);
}

static struct pktfs_options as_options(const struct text *text, bool be)
{
	return (struct pktfs_options){(const uint8_t *)text->bytes, text->size, be};
}

static void section(struct sample *sample)
{
	_cleanup_(text_free) struct text options = {0};
	bool be = sample->big_endian;

	string_option(&options, 1, "A made-up morning in a made-up network", be);
	string_option(&options, 2, "Imaginary Systems Model 1, 2 cores", be);
	string_option(&options, 3, "Linux 6.1.0", be);
	string_option(&options, 4, "pktgen --sample", be);
	write_shb(&sample->text, be, as_options(&options, be), NULL);
}

static void interface(struct sample *sample, const char *name, const char *description,
		      const char *filter, const struct sample_host *host)
{
	static const uint8_t resolution = 9;
	_cleanup_(text_free) struct text options = {0};
	bool be = sample->big_endian;
	uint64_t speed = 1000000000;
	uint8_t address[17];
	char program[64];
	struct write_interface idb = {LINK_ETHERNET, SNAPLEN, resolution, -1, {0}};

	string_option(&options, 2, name, be);
	string_option(&options, 3, description, be);
	memcpy(address, host->ipv4, 4);
	memcpy(address + 4, "\xff\xff\xff\x00", 4);
	write_option(&options, 4, address, 8, be);
	memcpy(address, host->ipv6, 16);
	address[16] = 64;
	write_option(&options, 5, address, 17, be);
	write_option(&options, 6, host->mac, 6, be);
	speed = be ? htobe64(speed) : htole64(speed);
	write_option(&options, 8, &speed, sizeof(speed), be);
	write_option(&options, 9, &resolution, 1, be);
	program[0] = 0; /* a libpcap string follows */
	snprintf(program + 1, sizeof(program) - 1, "%s", filter);
	write_option(&options, 11, program, 1 + strlen(filter), be);
	string_option(&options, 12, "Linux 6.1.0", be);
	string_option(&options, 15, "Imaginary Ethernet Controller", be);
	idb.options = as_options(&options, be);
	write_idb(&sample->text, be, &idb);
}

static void name_record(struct text *text, const uint8_t *address, size_t size, const char *names,
			size_t names_size, bool be)
{
	size_t length = size + names_size;

	text_u16(text, size == 4 ? 1 : 2, be);
	text_u16(text, (uint16_t)length, be);
	text_append(text, address, size);
	text_append(text, names, names_size);
	text_zeros(text, (size_t)util_pad4(length) - length);
}

static void names(struct sample *sample)
{
	static const char www[] = "www.example.com\0web.example.com";
	struct text *text = &sample->text;
	bool be = sample->big_endian;
	size_t at = write_block_begin(text, BLOCK_NRB, be);

	name_record(text, sample_server.ipv4, 4, www, sizeof(www), be);
	name_record(text, sample_server.ipv6, 16, www, sizeof(www), be);
	name_record(text, sample_client.ipv4, 4, "desk.test", sizeof("desk.test"), be);
	name_record(text, sample_router.ipv4, 4, "gateway.test", sizeof("gateway.test"), be);
	text_zeros(text, 4); /* nrb_record_end */
	string_option(text, 2, "ns.example.com", be);
	write_option(text, 3, sample_server.ipv4, 4, be);
	write_options_end(text, be);
	write_block_end(text, at, be);
}

static void secrets(struct sample *sample)
{
	static const char log[] =
		"# made up: opens nothing\n"
		"CLIENT_RANDOM 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f "
		"2021222324252627282930313233343536373839404142434445464748495051"
		"52535455565758596061626364656667\n";
	struct text *text = &sample->text;
	bool be = sample->big_endian;
	size_t at = write_block_begin(text, BLOCK_DSB, be);

	text_u32(text, DSB_TLS_KEY_LOG, be);
	text_u32(text, sizeof(log) - 1, be);
	text_append(text, log, sizeof(log) - 1);
	write_block_end(text, at, be);
}

/* isb_starttime and isb_endtime: two 32-bit halves, not a u64. */
static void time_option(struct text *text, uint16_t code, int64_t time_ns, bool be)
{
	text_u16(text, code, be);
	text_u16(text, 8, be);
	text_u32(text, (uint32_t)(time_ns >> 32), be);
	text_u32(text, (uint32_t)time_ns, be);
}

static void count_option(struct text *text, uint16_t code, uint64_t count, bool be)
{
	text_u16(text, code, be);
	text_u16(text, 8, be);
	text_u64(text, count, be);
}

static void statistics(struct sample *sample, unsigned number)
{
	struct text *text = &sample->text;
	bool be = sample->big_endian;
	size_t at = write_block_begin(text, BLOCK_ISB, be);

	text_u32(text, number, be);
	text_u32(text, (uint32_t)(sample->now_ns >> 32), be);
	text_u32(text, (uint32_t)sample->now_ns, be);
	time_option(text, 2, sample->start_ns, be);
	time_option(text, 3, sample->now_ns, be);
	count_option(text, 4, sample->received[number] + number, be);
	count_option(text, 5, number, be);
	count_option(text, 8, sample->received[number], be);
	write_options_end(text, be);
	write_block_end(text, at, be);
}

void sample_header(struct sample *sample)
{
	section(sample);
	interface(sample, "eth0", "desk, wired", "not port 22", &sample_client);
	interface(sample, "eth1", "trunk to the gateway", "vlan", &sample_router);
	secrets(sample);
}

void sample_trailer(struct sample *sample)
{
	unsigned i;

	names(sample);
	for (i = 0; i < SAMPLE_INTERFACES; i++)
		statistics(sample, i);
}
