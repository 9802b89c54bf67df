/* stop.c - one sentence, then the end of every rank. */
/* SPDX-License-Identifier: MIT */
#include "util/stop.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void (*end_all)(int code);

void sp_stop_with(void (*end)(int code)) { end_all = end; }

void sp_stop(enum sp_exit code, const char *text, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, text);
    vsnprintf(line, sizeof line, text, ap);
    va_end(ap);
    fflush(stdout);
    fprintf(stderr, "seqpar: %s\n", line);      /* one write: ranks don't interleave */
    fflush(stderr);
    if (end_all)
        end_all(code);
    exit(code);
}
