/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feeds files to a fuzz target, without a fuzzer: `replay_pcapng FILE...`. A
 * directory stands for the files in it. Besides each file as it is, every
 * prefix and every single flipped byte of small ones is tried, so that a
 * corpus of a few files asks a few thousand questions.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Above this size only the file itself is tried. */
#define SWEEP_MAX 2048u

static unsigned long inputs, failures;

/* Each input lies in an allocation of exactly its size, so that a read of one
 * byte too many is seen. */
static void feed(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	if (size)
		memcpy(copy, bytes, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	inputs++;
}

static void sweep(uint8_t *bytes, size_t size)
{
	for (size_t cut = 0; cut < size; cut++)
		feed(bytes, cut);
	for (size_t at = 0; at < size; at++) {
		uint8_t kept = bytes[at];

		bytes[at] = (uint8_t)~kept;
		feed(bytes, size);
		bytes[at] = (uint8_t)(kept ^ 1);
		feed(bytes, size);
		bytes[at] = kept;
	}
}

static int replay_file(const char *path, size_t size)
{
	uint8_t *bytes = malloc(size + 1);
	FILE *file = fopen(path, "rb");
	int r = -1;

	if (bytes && file && fread(bytes, 1, size, file) == size) {
		feed(bytes, size);
		if (size <= SWEEP_MAX)
			sweep(bytes, size);
		r = 0;
	}
	if (file)
		fclose(file);
	free(bytes);
	return r;
}

static void replay(const char *path)
{
	struct stat st;
	DIR *folder;
	int r = -1;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
		r = replay_file(path, (size_t)st.st_size);
	else if ((folder = opendir(path))) {
		for (struct dirent *entry; (entry = readdir(folder));) {
			char *inner = NULL;

			if (entry->d_name[0] == '.' ||
			    asprintf(&inner, "%s/%s", path, entry->d_name) < 0)
				continue;
			replay(inner);
			free(inner);
		}
		closedir(folder);
		r = 0;
	}
	if (r < 0) {
		fprintf(stderr, "replay: %s: cannot read\n", path);
		failures++;
	}
}

int main(int argc, char **argv)
{
	const char *name;

	feed(NULL, 0);
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc < 2) {
		printf("SKIP: no corpus\n");
		return 77;
	}
	name = strstr(argv[0], "replay_");
	printf("COUNT %lu inputs of fuzz targets (kept ones, cut and changed at each byte): %s\n",
	       inputs, name ? name + strlen("replay_") : argv[0]);
	printf("%sok 1 - %lu inputs from %d files\n1..1\n", failures ? "not " : "", inputs,
	       argc - 1);
	return failures ? 1 : 0;
}
