/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dirlist FOLDER: lists a folder in several ways that must agree:
 *
 *	whole     from the start to the end, keeping each entry's telldir
 *	turns     two streams, interleaved, each resumed by seekdir at each turn
 *	middle    from cookies taken at random, also behind a rewinddir
 *
 * Prints the number of entries.
 */
#include <dirent.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	long before; /* telldir before it was read */
	ino_t inode;
	char *name;
};

static struct entry *entries;
static size_t count;

static DIR *must_open(const char *path)
{
	DIR *folder = opendir(path);

	if (!folder)
		err(1, "%s", path);
	return folder;
}

static void list_whole(const char *path)
{
	DIR *folder = must_open(path);
	size_t room = 0;

	for (;;) {
		long before = telldir(folder);
		struct dirent *d = readdir(folder);

		if (!d)
			break;
		if (count == room) {
			room = room ? room * 2 : 1024;
			entries = realloc(entries, room * sizeof(*entries));
			if (!entries)
				err(1, NULL);
		}
		entries[count].before = before;
		entries[count].inode = d->d_ino;
		entries[count].name = strdup(d->d_name);
		if (!entries[count].name)
			err(1, NULL);
		count++;
	}
	closedir(folder);
}

static void expect_entry(const char *how, const struct dirent *d, size_t i)
{
	if (i >= count) {
		if (d)
			errx(1, "%s: %s behind the end", how, d->d_name);
		return;
	}
	if (!d)
		errx(1, "%s: ends before %s", how, entries[i].name);
	if (strcmp(d->d_name, entries[i].name) || d->d_ino != entries[i].inode)
		errx(1, "%s: %s instead of %s", how, d->d_name, entries[i].name);
}

/* One stream lists on from the start, the other jumps between two places. */
static void list_in_turns(const char *path)
{
	DIR *one = must_open(path), *other = must_open(path);
	size_t half = count / 2, turn = count > 10000 ? 997 : 1;

	for (size_t i = 0; i <= count; i++) {
		expect_entry("first stream", readdir(one), i);
		if (i % turn)
			continue;
		seekdir(other, entries[i < count ? i : 0].before);
		expect_entry("second stream", readdir(other), i < count ? i : 0);
		seekdir(other, entries[(i + half) % count].before);
		expect_entry("second stream", readdir(other), (i + half) % count);
	}
	closedir(one);
	closedir(other);
}

static void resume_anywhere(const char *path)
{
	DIR *folder = must_open(path);

	srandom(1);
	for (int i = 0; i < 300; i++) {
		size_t at = (size_t)random() % count;

		seekdir(folder, entries[at].before);
		for (size_t j = at; j < at + 40 && j <= count; j++)
			expect_entry("resumed", readdir(folder), j);
		if (i % 50 == 0) {
			rewinddir(folder);
			expect_entry("rewound", readdir(folder), 0);
		}
	}
	closedir(folder);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: dirlist FOLDER");
	list_whole(argv[1]);
	if (!count)
		errx(1, "%s: nothing, not even .", argv[1]);
	list_in_turns(argv[1]);
	resume_anywhere(argv[1]);
	printf("%zu\n", count);
	for (size_t i = 0; i < count; i++)
		free(entries[i].name);
	free(entries);
	return 0;
}
