/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * append_load [-a] [-p] [-s N] [-w USEC] FOLDER PROCESSES COUNT: that many processes append
 * COUNT packets each, named pP.N, which begin with "process P packet N\n".
 *
 *	-a      print "P N" after each close(2) that returned 0, by one write
 *	-p      now and then a pause that lets a frame be ended
 *	-s N    fsync each N-th file before it is closed
 *	-w USEC wait so long behind each packet
 *
 * A process ends at its first error: silently with -a, else with that error.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool acknowledged, pauses;
static unsigned sync_each, wait_us;

/* Packets of 40 to 800 bytes, one in 50 of up to 40,000. */
static size_t make(char *bytes, size_t room, unsigned process, unsigned number)
{
	unsigned mixed = (process * 7919 + number) * 2654435761u;
	size_t size = 40 + mixed % (number % 50 ? 760 : room - 40);
	int text = snprintf(bytes, room, "process %u packet %u\n", process, number);

	for (size_t i = (size_t)text; i < size; i++) {
		mixed = mixed * 1664525u + 1013904223u;
		bytes[i] = (char)(mixed >> 24);
	}
	return size;
}

static int append(const char *path, const char *bytes, size_t size, bool sync)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, bytes, size);
	if (n != (ssize_t)size || (sync && fsync(fd) < 0)) {
		n = n < 0 || errno ? -errno : -EIO;
		close(fd);
		return (int)n;
	}
	return close(fd) < 0 ? -errno : 0;
}

/* The link of a packet leads to it. */
static bool is_seen(const char *path, const char *bytes, size_t size)
{
	static char found[40001];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, found, sizeof(found));

	close(fd);
	return n == (ssize_t)size && !memcmp(found, bytes, size);
}

static int work(const char *folder, unsigned process, unsigned count)
{
	static char bytes[40000];
	char path[4096], line[64];

	for (unsigned number = 0; number < count; number++) {
		size_t size = make(bytes, sizeof(bytes), process, number);
		int r;

		snprintf(path, sizeof(path), "%s/p%u.%u", folder, process, number);
		errno = 0;
		r = append(path, bytes, size, sync_each && number % sync_each == sync_each - 1);
		if (r < 0) {
			if (!acknowledged)
				warnx("%s: %s", path, strerror(-r));
			return 1;
		}
		if (acknowledged &&
		    write(1, line, (size_t)snprintf(line, sizeof(line), "%u %u\n", process,
						    number)) < 0)
			return 1;
		if (!acknowledged && number % 500 == 0 && !is_seen(path, bytes, size)) {
			warnx("%s: not what was appended", path);
			return 1;
		}
		if (wait_us)
			usleep(wait_us);
		if (pauses && number % 16 == 15)
			usleep(190000 + number % 5 * 10000);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int option, status, code = 0;
	unsigned processes;

	while ((option = getopt(argc, argv, "aps:w:")) != -1)
		switch (option) {
		case 'a': acknowledged = true; break;
		case 'p': pauses = true; break;
		case 's': sync_each = (unsigned)atoi(optarg); break;
		case 'w': wait_us = (unsigned)atoi(optarg); break;
		default: return 2;
		}
	if (argc - optind != 3)
		errx(2, "usage: append_load [-a] [-p] [-s N] [-w USEC] FOLDER PROCESSES COUNT");
	processes = (unsigned)atoi(argv[optind + 1]);
	for (unsigned process = 0; process < processes; process++)
		if (fork() == 0)
			_exit(work(argv[optind], process, (unsigned)atoi(argv[optind + 2])));
	while (wait(&status) > 0)
		if (status)
			code = 1;
	return code;
}
