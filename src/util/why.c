/* why.c - one sentence, in a buffer of its own. */
/* SPDX-License-Identifier: MIT */
#include "util/why.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *sp_why(const char *text, ...)
{
    static char why[512];
    char next[sizeof why];
    va_list ap;
    va_start(ap, text);
    vsnprintf(next, sizeof next, text, ap);
    va_end(ap);
    for (char *c = next; *c; c++)
        if (iscntrl((unsigned char)*c))
            *c = '?';
    return strcpy(why, next);
}
