#!/bin/sh
# Makes ./configure after a clone; tarballs have it already.
cd "$(dirname "$0")" && exec autoreconf -fi
