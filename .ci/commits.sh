#!/bin/sh
# Checks the subjects of commits: `scope: what changes`, 72 characters at most.
# Usage: commits.sh [RANGE]; by default what is ahead of origin/main, or else the last commit.
set -eu

cd "$(dirname "$0")/.."
range=${1:-origin/main..HEAD}
subjects=$(git log --no-merges --format=%s "$range" 2>/dev/null || true)
[ -n "$subjects" ] || subjects=$(git log --no-merges --format=%s -1)
wrong=$(printf '%s\n' "$subjects" | awk 'length > 72 || !/^[a-z0-9][a-z0-9 ,.\/-]*: [^ ]/')
[ -z "$wrong" ] && exit 0
echo 'Commit subjects must read "scope: what changes", in at most 72 characters:' >&2
printf '%s\n' "$wrong" >&2
exit 1
