#!/usr/bin/env bash
# Prints the C++ files that are ours, one per line, relative to the root: what is formatted and linted.
set -euo pipefail
cd "$(dirname "$0")/.."
find core net hashing health control tools bench tests -type f \( -name '*.h' -o -name '*.cc' \) | LC_ALL=C sort
