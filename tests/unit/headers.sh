#!/usr/bin/env bash
# Does each public header compile alone, as C99 and as C++?
set -eu
cd "$(dirname "$0")/../.."
for header in include/pktfs/*.h; do
	for standard in c99 c17; do
		cc -std=$standard -pedantic -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c - \
			<<<"#include \"${header#include/}\"
typedef int nothing;"
	done
	for standard in c++11 c++17; do
		g++ -std=$standard -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c++ - \
			<<<"#include \"${header#include/}\"
typedef int nothing;"
	done
done
# private headers too stand alone: a .c file may include any of them first
for header in src/*/*.h; do
	flags=
	case $header in src/fs/* | src/cli/*) flags="$(pkg-config --cflags fuse3) -DFUSE_USE_VERSION=312" ;; esac
	# shellcheck disable=SC2086
	cc -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wall -Wextra -Werror -Iinclude -Isrc $flags \
		-fsyntax-only -x c - <<<"#include \"${header#src/}\"
typedef int nothing;"
done
