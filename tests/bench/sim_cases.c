/* sim_cases.c - how fast the simulator's engine is, and that it is right.
 *
 *     sim_cases CASE P BYTES [compute=SECONDS] [oversub=O] [eps=SECONDS] [collapse=0|1]
 *
 * BYTES 0: the case's own. Prints one line. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/bench/sim_cases.h"
#include "util/why.h"

enum { MOST_RANKS = 65536, MOST_PAIRED = 8192 };

struct options { struct sp_case c; int ranks; double eps, collapse; };

static const char *number(const char *what, const char *text, double low, double high,
                          double *value)
{
    char *end;
    const double x = strtod(text, &end);
    if (!*text || *end || !(x >= low && x <= high))
        return sp_why("%s \"%s\" must be a number from %g to %g", what, text, low, high);
    *value = x;
    return NULL;
}

static const char *find_case(const char *name, struct sp_case *c)
{
    char names[256] = "";
    for (int i = 0; sp_cases[i].name; i++) {
        *c = sp_cases[i];
        if (!strcmp(name, c->name))
            return NULL;
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s",
                 i ? ", " : "", c->name);
    }
    return sp_why("case \"%s\" is none of %s", name, names);
}

static const char *read_option(const char *text, struct options *o)
{
    const struct { const char *name; double low, high, *to; } known[] = {
        { "compute", 1e-9, 1e6, &o->c.compute },
        { "oversub", 1e-3, 1e3, &o->c.oversub },
        { "eps", 0, 1, &o->eps },
        { "collapse", 0, 1, &o->collapse },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const size_t n = strlen(known[i].name);
        if (!strncmp(text, known[i].name, n) && text[n] == '=')
            return number(known[i].name, text + n + 1, known[i].low, known[i].high,
                          known[i].to);
    }
    return sp_why("\"%s\" is none of compute=, oversub=, eps=, collapse=", text);
}

static const char *read_arguments(int argc, char **argv, struct options *o)
{
    if (argc < 4)
        return "usage: sim_cases CASE P BYTES [compute=SECONDS] [oversub=O] "
               "[eps=SECONDS] [collapse=0|1]";
    double ranks = 0, bytes = 0;
    const char *why = find_case(argv[1], &o->c);
    if (!why)
        why = number("P", argv[2], 2, MOST_RANKS, &ranks);
    if (!why)
        why = number("BYTES", argv[3], 0, 1e15, &bytes);
    for (int i = 4; i < argc && !why; i++)
        why = read_option(argv[i], o);
    o->ranks = (int)ranks;
    if (bytes > 0)
        o->c.bytes = bytes;
    if (why)
        return why;
    if (o->ranks != ranks)
        return sp_why("P %s must be whole", argv[2]);
    if (o->collapse != 0 && o->collapse != 1)
        return sp_why("collapse %g must be 0 or 1", o->collapse);
    if (o->c.pattern == SP_CASE_XOR && (o->ranks & (o->ranks - 1)))
        return sp_why("P %d must be a power of two for %s", o->ranks, o->c.name);
    if (o->c.pattern != SP_CASE_RING && !o->collapse && o->ranks > MOST_PAIRED)
        return sp_why("P %d must be at most %d for all pairs, or collapse=1", o->ranks,
                      MOST_PAIRED);
    return NULL;
}

int main(int argc, char **argv)
{
    struct options o = { 0 };
    double seconds;
    const char *why = read_arguments(argc, argv, &o);
    if (!why && o.collapse)
        why = sp_case_collapsed(&o.c, o.ranks, o.eps, &seconds);
    else if (!why)
        seconds = sp_case_run(&o.c, o.ranks, o.eps);
    if (why) {
        fprintf(stderr, "sim_cases: %s\n", why);
        return 2;
    }
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    const double cpu = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                       1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
    printf("case=%s P=%d predicted_s=%.12g cpu_s=%.6f peak_mib=%.1f\n", o.c.name, o.ranks,
           seconds, cpu, (double)u.ru_maxrss / 1024);
    return 0;
}
