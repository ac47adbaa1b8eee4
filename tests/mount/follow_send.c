/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends packets at a rate, for tests of captures that grow:
 *
 *	follow_send INTERFACE PER_SECOND SECONDS
 *
 * Each is an Ethernet frame of type 0x88b5 with its number (from 0, 8 bytes,
 * big-endian) and then bytes that follow from the number: byte i of the frame is
 * number * 31 + i * 7, from 22 on. The length is 60 + number * 37 % 200. Prints
 * how many were sent.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 50u
#define ROOM  260u

static uint8_t frames[BATCH][ROOM];

static size_t fill(uint8_t *frame, uint64_t number)
{
	static const uint8_t head[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5};
	size_t length = 60 + number * 37 % 200, i;

	memcpy(frame, head, sizeof(head));
	for (i = 0; i < 8; i++)
		frame[14 + i] = (uint8_t)(number >> (56 - 8 * i));
	for (i = 22; i < length; i++)
		frame[i] = (uint8_t)(number * 31 + i * 7);
	return length;
}

static void sleep_until(struct timespec *when, long nsec)
{
	when->tv_nsec += nsec;
	while (when->tv_nsec >= 1000000000) {
		when->tv_nsec -= 1000000000;
		when->tv_sec++;
	}
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, when, NULL);
}

static void batch(int fd, uint64_t first)
{
	struct mmsghdr messages[BATCH] = {0};
	struct iovec parts[BATCH];
	unsigned i;
	int done = 0, n;

	for (i = 0; i < BATCH; i++) {
		parts[i].iov_base = frames[i];
		parts[i].iov_len = fill(frames[i], first + i);
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (done < (int)BATCH &&
	       (n = sendmmsg(fd, messages + done, BATCH - (unsigned)done, 0)) > 0)
		done += n;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	struct sockaddr_ll address = {.sll_family = AF_PACKET};
	uint64_t number = 0, count;
	struct timespec when;
	unsigned long rate;

	if (argc != 4 || fd < 0)
		return 2;
	address.sll_ifindex = (int)if_nametoindex(argv[1]);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		perror(argv[1]);
		return 2;
	}
	rate = strtoul(argv[2], NULL, 10);
	count = rate * strtoul(argv[3], NULL, 10);
	clock_gettime(CLOCK_MONOTONIC, &when);
	for (; number < count; number += BATCH) {
		batch(fd, number);
		sleep_until(&when, (long)(1000000000 / rate * BATCH));
	}
	printf("%llu\n", (unsigned long long)number);
	return 0;
}
