/* stop.c - one sentence, then the end of every rank. */
/* SPDX-License-Identifier: MIT */
#include "util/stop.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SPEAKER_NEEDS_S = 5 };

static void (*end_all)(int code);
static bool listens;

void sp_stop_with(void (*end)(int code)) { end_all = end; }

void sp_stop_listen(void) { listens = true; }

static void stop(enum sp_exit code, const char *text, va_list ap) __attribute__((noreturn));

static void stop(enum sp_exit code, const char *text, va_list ap)
{
    char line[1024];
    vsnprintf(line, sizeof line, text, ap);
    fflush(stdout);
    fprintf(stderr, "seqpar: %s\n", line);      /* one write: ranks don't interleave */
    fflush(stderr);
    if (end_all)
        end_all(code);
    exit(code);
}

void sp_stop(enum sp_exit code, const char *text, ...)
{
    va_list ap;
    va_start(ap, text);
    stop(code, text, ap);
}

/* A launcher ends all ranks when the first one fails, so the others let it speak. */
void sp_stop_together(enum sp_exit code, const char *text, ...)
{
    va_list ap;
    va_start(ap, text);
    if (!listens)
        stop(code, text, ap);
    va_end(ap);
    sleep(SPEAKER_NEEDS_S);
    exit(code);
}
