/* units.c - a number and its unit, which must be one of a few. */
/* SPDX-License-Identifier: MIT */
#include "topo/units.h"

#include <stdlib.h>
#include <string.h>

#include "util/why.h"

struct unit { const char *name; double factor; };

/* The number times its unit's factor; negative: it makes no sense. */
static double read(const char *text, const struct unit *units)
{
    size_t digits = strspn(text, "0123456789.");
    char *end;
    double number = strtod(text, &end);
    if (!digits || end != text + digits)
        return -1;
    for (const struct unit *u = units; u->name; u++)
        if (!strcmp(end, u->name))
            return number * u->factor;
    return -1;
}

const char *sp_parse_rate(const char *text, double *value)
{
    static const struct unit units[] = {
        { "", 1e9 }, { "kB/s", 1e3 }, { "MB/s", 1e6 }, { "GB/s", 1e9 }, { "TB/s", 1e12 },
        { "kb/s", 125 }, { "Mb/s", 125e3 }, { "Gb/s", 125e6 }, { "Tb/s", 125e9 }, { NULL, 0 },
    };
    double rate = read(text, units);
    if (rate < 0)
        return sp_why("\"%s\" is not a rate such as 400Gb/s (bits) or 50GB/s (bytes)", text);
    if (rate < 1e3 || rate > 1e15)
        return sp_why("\"%s\" must be from 1kB/s to 1000TB/s", text);
    *value = rate;
    return NULL;
}

const char *sp_parse_time(const char *text, double *value)
{
    static const struct unit units[] = {
        { "ns", 1e-9 }, { "us", 1e-6 }, { "ms", 1e-3 }, { "s", 1 }, { NULL, 0 },
    };
    double time = read(text, units);
    if (time < 0)
        return sp_why("\"%s\" is not a time such as 0.6us or 250ns", text);
    if (time > 1)
        return sp_why("\"%s\" must be at most 1s", text);
    *value = time;
    return NULL;
}
