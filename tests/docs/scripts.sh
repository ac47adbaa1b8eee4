#!/usr/bin/env bash
# Does bash understand every script of the project, and Python every other?
set -eu
cd "$(dirname "$0")/../.."
git ls-files --cached --others --exclude-standard | while read -r file; do
	[ -f "$file" ] || continue
	first=$(head -c 64 "$file" | tr -d '\0' | head -1)
	case $file:$first in
	*.sh:* | *:'#!'*bash*) bash -n "$file" ;;
	*.py:* | *:'#!'*python3*) python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' "$file" ;;
	esac
done
# and what must be executable is
for file in .ci/run scripts/[!p]* tests/run; do
	[ -x "$file" ] || { echo "$file is not executable"; exit 1; }
done
