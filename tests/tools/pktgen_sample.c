/* SPDX-License-Identifier: BSD-2-Clause */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "pktgen.h"
#include "pktgen_sample.h"

/* Round trips of the wire and of the network behind the router. */
#define NEAR_NS 181204
#define FAR_NS  11873552
/* What a program needs to think. */
#define THINK_NS 2391027

#define SYSLOG_PORT 514

static void names_asked(struct sample *sample)
{
	sample->comment = "The first question of the day";
	sample_dns(sample, THINK_NS, 0x1a2b, "www.example.com", false, sample_server.ipv4);
	sample_dns(sample, THINK_NS, 0x1a2c, "www.example.com", true, sample_server.ipv6);
	sample_dns(sample, THINK_NS, 0x1a2d, "printer.test", false, NULL);
}

static void hands_shaken(struct sample *sample, struct sample_talk *talk)
{
	sample_tcp(sample, THINK_NS, talk, true, NET_SYN, "");
	sample_tcp(sample, FAR_NS, talk, false, NET_SYN | NET_ACK, "");
	sample_tcp(sample, NEAR_NS, talk, true, NET_ACK, "");
}

static void farewell(struct sample *sample, struct sample_talk *talk)
{
	sample_tcp(sample, THINK_NS, talk, true, NET_FIN | NET_ACK, "");
	sample_tcp(sample, FAR_NS, talk, false, NET_FIN | NET_ACK, "");
	sample_tcp(sample, NEAR_NS, talk, true, NET_ACK, "");
}

/* A request and its answer; `code` is the status line behind the version. */
static void exchange(struct sample *sample, struct sample_talk *talk, const char *request,
		     const char *code, const char *body)
{
	char response[1400];

	snprintf(response, sizeof(response),
		 "HTTP/1.1 %s\r\nServer: made-up/1.0\r\nContent-Type: text/html\r\n"
		 "Content-Length: %zu\r\n\r\n%s",
		 code, strlen(body), body);
	sample_tcp(sample, THINK_NS, talk, true, NET_PSH | NET_ACK, request);
	sample_tcp(sample, FAR_NS, talk, false, NET_ACK, "");
	sample_tcp(sample, THINK_NS, talk, false, NET_PSH | NET_ACK, response);
	sample_tcp(sample, NEAR_NS, talk, true, NET_ACK, "");
}

static void web(struct sample *sample)
{
	struct sample_talk talk = {false, 49152, 80, 0x10203040, 0xa0b0c0d0};

	hands_shaken(sample, &talk);
	exchange(sample, &talk,
		 "GET /login HTTP/1.1\r\nHost: www.example.com\r\n"
		 "User-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n",
		 "200 OK",
		 "<!doctype html>\n<title>Log in</title>\n<form method=post action=/login>\n"
		 "<input name=user> <input name=password type=password> <button>Log in</button>\n"
		 "</form>\n");
	sample->comment = "A password in the clear";
	exchange(sample, &talk,
		 "POST /login HTTP/1.1\r\nHost: www.example.com\r\n"
		 "User-Agent: curl/7.88.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
		 "Content-Length: 27\r\n\r\nuser=alice&password=hunter2",
		 "302 Found", "<!doctype html>\n<title>Welcome, alice</title>\n");
	farewell(sample, &talk);
}

static void web_ipv6(struct sample *sample)
{
	struct sample_talk talk = {true, 49153, 80, 0x55aa0000, 0x77770000};

	hands_shaken(sample, &talk);
	exchange(sample, &talk,
		 "GET /robots.txt HTTP/1.1\r\nHost: www.example.com\r\n"
		 "User-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n",
		 "404 Not Found", "<!doctype html>\n<title>No robots here</title>\n");
	farewell(sample, &talk);
}

static void syslog_lines(struct sample *sample)
{
	static const char *const lines[] = {
		"<86>Nov 21 10:32:07 desk sshd[812]: Accepted publickey for alice from 192.0.2.10",
		"<30>Nov 21 10:32:07 desk systemd[1]: Started Daily apt download activities.",
		"<4>Nov 21 10:32:08 desk kernel: eth0: link is up, 1000 Mbps, full duplex",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lines); i++)
		sample_udp(sample, THINK_NS, false, true, SYSLOG_PORT, SYSLOG_PORT, lines[i],
			   strlen(lines[i]));
}

static void pings(struct sample *sample, bool ipv6)
{
	uint16_t i;

	for (i = 1; i <= 3; i++) {
		sample_ping(sample, 100 * THINK_NS, ipv6, false, i);
		sample_ping(sample, FAR_NS + i * 7, ipv6, true, i);
	}
}

static void script(struct sample *sample)
{
	sample->comment = "Who is the gateway?";
	sample_arp(sample, 123456789, false);
	sample_arp(sample, NEAR_NS, true);
	sample->peer = &sample_router;
	names_asked(sample);
	syslog_lines(sample);
	sample->peer = &sample_server;
	web(sample);
	pings(sample, false);
	web_ipv6(sample);
	sample->interface = SAMPLE_TRUNK;
	sample->comment = "From here on with a VLAN tag";
	pings(sample, true);
	syslog_lines(sample);
}

void gen_sample_write(const struct gen *gen, const char *path)
{
	struct sample sample = {
		.big_endian = gen->big_endian,
		.start_ns = gen->start_ns,
		.now_ns = gen->start_ns,
	};
	struct gen_sink *sink;

	sample_header(&sample);
	script(&sample);
	sample_trailer(&sample);
	if (sample.text.failed)
		errx(1, "sample: %s", strerror(-sample.text.failed));
	sink = gen_sink_open(gen, path, sample.text.size);
	memcpy(gen_sink_room(sink, sample.text.size), sample.text.bytes, sample.text.size);
	gen_sink_commit(sink, sample.text.size);
	gen_sink_close(sink);
	text_free(&sample.text);
}
