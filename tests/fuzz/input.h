/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An input that is a script: taken from its front, number by number; where it
 * has ended all numbers are 0.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "util/util_base.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct input {
	const uint8_t *bytes;
	size_t size;
};

static inline uint64_t input_number(struct input *input, size_t size)
{
	uint64_t number = 0;

	size = MIN(size, input->size);
	if (size)
		memcpy(&number, input->bytes, size);
	input->bytes += size;
	input->size -= size;
	return number;
}

/* A length of one byte, and so many bytes; without a NUL, ended by one. `name`
 * has room for 256. */
static inline size_t input_name(struct input *input, char *name)
{
	size_t size = (size_t)input_number(input, 1);

	size = MIN(size, input->size);
	if (size)
		memcpy(name, input->bytes, size);
	name[size] = '\0';
	input->bytes += size;
	input->size -= size;
	return strlen(name);
}

/* A moment for the threads of the library. */
static inline void input_pause(void)
{
	nanosleep(&(struct timespec){0, 50000}, NULL);
}

#endif
