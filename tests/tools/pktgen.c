/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Needs src/write, src/util, pktfs_option_next: link it with libpktfs.a.
 */
#include "pktgen.h"

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NSEC_PER_SEC 1000000000

/* The time of the examples in the documentation. */
#define DEFAULT_START "2026-11-21T10:32:07Z"

static const char usage[] =
	"usage: pktgen [options] FILE          (FILE may be -)\n"
	"       pktgen [options] --show N      the bytes of packet N, in hex\n"
	"       pktgen [options] --describe N  number, time, interface, link type,\n"
	"                                      captured and original length\n"
	"\n"
	"  --format pcap|pcapng    default pcap\n"
	"  --packets N             default 1000\n"
	"  --seed S                default 1\n"
	"  --nanosecond            time stamps in nanoseconds\n"
	"  --big-endian\n"
	"  --mixed-endian          pcapng: every second section in the other order\n"
	"  --modified              pcap with Kuznetzov's record headers\n"
	"  --link-type N           1 Ethernet (default), 101 raw IP, 0 null; others\n"
	"                          hold Ethernet frames\n"
	"  --snaplen N             longer packets are cut\n"
	"  --size imix|tiny|fixed:N   default imix (365 bytes on average)\n"
	"  --interfaces N          in each section\n"
	"  --sections N\n"
	"  --zstd none|single|frames[:KiB]   one frame, or many (default 1024 KiB each)\n"
	"  --zstd-undeclared       frames do not say their size\n"
	"  --gzip\n"
	"  --level N               of the compression\n"
	"  --start TIME            seconds since 1970 or 2026-11-21T10:32:07[.5]Z\n"
	"  --gap NS                between packets, default 10000\n"
	"  --disorder              time stamps go back now and then\n"
	"  --sample                a small capture with a bit of everything\n";

enum {
	ARG_FORMAT = 256,
	ARG_PACKETS,
	ARG_SEED,
	ARG_NANOSECOND,
	ARG_BIG_ENDIAN,
	ARG_MIXED_ENDIAN,
	ARG_MODIFIED,
	ARG_LINK_TYPE,
	ARG_SNAPLEN,
	ARG_SIZE,
	ARG_INTERFACES,
	ARG_SECTIONS,
	ARG_ZSTD,
	ARG_ZSTD_UNDECLARED,
	ARG_GZIP,
	ARG_LEVEL,
	ARG_START,
	ARG_GAP,
	ARG_DISORDER,
	ARG_SAMPLE,
	ARG_SHOW,
	ARG_DESCRIBE,
	ARG_HELP,
};

static const struct option options[] = {
	{"format", required_argument, NULL, ARG_FORMAT},
	{"packets", required_argument, NULL, ARG_PACKETS},
	{"seed", required_argument, NULL, ARG_SEED},
	{"nanosecond", no_argument, NULL, ARG_NANOSECOND},
	{"big-endian", no_argument, NULL, ARG_BIG_ENDIAN},
	{"mixed-endian", no_argument, NULL, ARG_MIXED_ENDIAN},
	{"modified", no_argument, NULL, ARG_MODIFIED},
	{"link-type", required_argument, NULL, ARG_LINK_TYPE},
	{"snaplen", required_argument, NULL, ARG_SNAPLEN},
	{"size", required_argument, NULL, ARG_SIZE},
	{"interfaces", required_argument, NULL, ARG_INTERFACES},
	{"sections", required_argument, NULL, ARG_SECTIONS},
	{"zstd", required_argument, NULL, ARG_ZSTD},
	{"zstd-undeclared", no_argument, NULL, ARG_ZSTD_UNDECLARED},
	{"gzip", no_argument, NULL, ARG_GZIP},
	{"level", required_argument, NULL, ARG_LEVEL},
	{"start", required_argument, NULL, ARG_START},
	{"gap", required_argument, NULL, ARG_GAP},
	{"disorder", no_argument, NULL, ARG_DISORDER},
	{"sample", no_argument, NULL, ARG_SAMPLE},
	{"show", required_argument, NULL, ARG_SHOW},
	{"describe", required_argument, NULL, ARG_DESCRIBE},
	{"help", no_argument, NULL, ARG_HELP},
	{0},
};

struct arguments {
	struct gen gen;
	bool sample;
	uint64_t show, describe;
};

static uint64_t number(const char *option, const char *text, uint64_t least, uint64_t most)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || value < least || value > most)
		errx(2, "--%s: found \"%s\"; accepted %ju to %ju", option, text, (uintmax_t)least,
		     (uintmax_t)most);
	return value;
}

/* Seconds since the epoch or an ISO 8601 time, either with a fraction. */
static int64_t time_of(const char *text)
{
	struct tm tm = {0};
	long long sec;
	int64_t nsec = 0, unit = NSEC_PER_SEC;
	char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (end) {
		sec = timegm(&tm);
	} else {
		sec = strtoll(text, &end, 10);
		if (end == text)
			errx(2, "--start: found \"%s\"", text);
	}
	if (*end == '.')
		for (end++; *end >= '0' && *end <= '9'; end++)
			nsec += (unit /= 10) * (*end - '0');
	if (*end == 'Z')
		end++;
	if (*end || sec > INT64_MAX / NSEC_PER_SEC - 1 || sec < INT64_MIN / NSEC_PER_SEC + 1)
		errx(2, "--start: found \"%s\"", text);
	return sec * NSEC_PER_SEC + nsec;
}

static void parse_size(struct gen *gen, const char *text)
{
	if (!strcmp(text, "imix")) {
		gen->sizes = GEN_SIZE_IMIX;
	} else if (!strcmp(text, "tiny")) {
		gen->sizes = GEN_SIZE_TINY;
	} else if (!strncmp(text, "fixed:", 6)) {
		gen->sizes = GEN_SIZE_FIXED;
		gen->fixed_size = (uint32_t)number("size", text + 6, 0, GEN_MAX_PACKET);
	} else {
		errx(2, "--size: found \"%s\"; accepted imix, tiny, fixed:N", text);
	}
}

static void parse_zstd(struct gen *gen, const char *text)
{
	if (!strcmp(text, "none")) {
		gen->compression = GEN_PLAIN;
	} else if (!strcmp(text, "single")) {
		gen->compression = GEN_ZSTD_SINGLE;
	} else if (!strncmp(text, "frames", 6) && (!text[6] || text[6] == ':')) {
		gen->compression = GEN_ZSTD_FRAMES;
		gen->frame_size = (size_t)1 << 20;
		if (text[6])
			gen->frame_size = number("zstd", text + 7, 1, 1 << 20) << 10;
	} else {
		errx(2, "--zstd: found \"%s\"; accepted none, single, frames[:KiB]", text);
	}
}

static void parse_format(struct gen *gen, const char *text)
{
	gen->pcapng = !strcmp(text, "pcapng");
	if (!gen->pcapng && strcmp(text, "pcap") != 0)
		errx(2, "--format: found \"%s\"; accepted pcap, pcapng", text);
}

static bool parse_flag(struct arguments *arguments, int option)
{
	struct gen *gen = &arguments->gen;

	switch (option) {
	case ARG_NANOSECOND:
		return gen->nanosecond = true;
	case ARG_BIG_ENDIAN:
		return gen->big_endian = true;
	case ARG_MIXED_ENDIAN:
		return gen->mixed_endian = true;
	case ARG_MODIFIED:
		return gen->modified = true;
	case ARG_ZSTD_UNDECLARED:
		return gen->undeclared = true;
	case ARG_GZIP:
		gen->compression = GEN_GZIP;
		return true;
	case ARG_DISORDER:
		return gen->disorder = true;
	case ARG_SAMPLE:
		return arguments->sample = true;
	default:
		return false;
	}
}

static void parse_value(struct arguments *arguments, int option, const char *value)
{
	struct gen *gen = &arguments->gen;

	switch (option) {
	case ARG_FORMAT:
		parse_format(gen, value);
		break;
	case ARG_PACKETS:
		gen->packets = number("packets", value, 0, UINT64_MAX >> 16);
		break;
	case ARG_SEED:
		gen->seed = number("seed", value, 0, UINT64_MAX);
		break;
	case ARG_LINK_TYPE:
		gen->link_type = (uint16_t)number("link-type", value, 0, UINT16_MAX);
		break;
	case ARG_SNAPLEN:
		gen->snaplen = (uint32_t)number("snaplen", value, 0, UINT32_MAX);
		break;
	case ARG_SIZE:
		parse_size(gen, value);
		break;
	case ARG_INTERFACES:
		gen->interfaces = (uint32_t)number("interfaces", value, 1, 1 << 20);
		break;
	case ARG_SECTIONS:
		gen->sections = number("sections", value, 1, UINT64_MAX);
		break;
	case ARG_ZSTD:
		parse_zstd(gen, value);
		break;
	case ARG_LEVEL:
		gen->level = (int)number("level", value, 1, 22);
		break;
	case ARG_START:
		gen->start_ns = time_of(value);
		break;
	case ARG_GAP:
		gen->gap_ns = number("gap", value, 0, UINT32_MAX);
		break;
	case ARG_SHOW:
		arguments->show = number("show", value, 1, UINT64_MAX);
		break;
	case ARG_DESCRIBE:
		arguments->describe = number("describe", value, 1, UINT64_MAX);
		break;
	}
}

static void parse(struct arguments *arguments, int argc, char **argv)
{
	struct gen *gen = &arguments->gen;
	int option;

	*gen = (struct gen){
		.packets = 1000,
		.seed = 1,
		.link_type = 1,
		.interfaces = 1,
		.sections = 1,
		.gap_ns = 10000,
		.start_ns = time_of(DEFAULT_START),
	};
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h' || option == ARG_HELP) {
			fputs(usage, stdout);
			exit(0);
		}
		if (option == '?')
			exit(2);
		if (!parse_flag(arguments, option))
			parse_value(arguments, option, optarg);
	}
	if (!gen->pcapng && (gen->sections > 1 || gen->mixed_endian))
		errx(2, "--sections, --mixed-endian: only with --format pcapng");
	if (!gen->pcapng && gen->interfaces > 1 && !gen->modified)
		errx(2, "--interfaces: only with --format pcapng, or with --modified");
	if (gen->modified && (gen->pcapng || gen->nanosecond))
		errx(2, "--modified: neither with --format pcapng nor with --nanosecond");
}

static void show(const struct gen *gen, uint64_t wanted)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	struct gen_packet packet;
	uint32_t i;

	gen_packet(gen, wanted, &packet);
	bytes = malloc(packet.original + 1);
	if (!bytes)
		err(1, "memory");
	gen_packet_fill(gen, &packet, bytes);
	for (i = 0; i < packet.captured; i++)
		printf("%02x", bytes[i]);
	putchar('\n');
}

static void describe(const struct gen *gen, uint64_t wanted)
{
	struct gen_packet packet;
	int64_t sec, nsec;

	gen_packet(gen, wanted, &packet);
	sec = packet.time_ns / NSEC_PER_SEC;
	nsec = packet.time_ns % NSEC_PER_SEC;
	if (nsec < 0) {
		nsec += NSEC_PER_SEC;
		sec--;
	}
	printf("%ju\t%jd.%09jd\t%u\t%u\t%u\t%u\n", (uintmax_t)wanted, (intmax_t)sec, (intmax_t)nsec,
	       packet.interface, gen->link_type, packet.captured, packet.original);
}

int main(int argc, char **argv)
{
	struct arguments arguments = {0};

	parse(&arguments, argc, argv);
	if (arguments.show)
		show(&arguments.gen, arguments.show);
	if (arguments.describe)
		describe(&arguments.gen, arguments.describe);
	if (arguments.show || arguments.describe)
		return 0;
	if (optind != argc - 1)
		errx(2, "one FILE is wanted; see --help");
	if (arguments.sample)
		gen_sample_write(&arguments.gen, argv[optind]);
	else
		gen_file_write(&arguments.gen, argv[optind]);
	return 0;
}
