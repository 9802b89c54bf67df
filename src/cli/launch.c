/* launch.c - transport, kernels, threads, and what a thread can do at most. */
/* SPDX-License-Identifier: MIT */
#include "cli/launch.h"

#include <omp.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/stop.h"

static const struct sp_transport *transport_of(const struct sp_options *o)
{
    const struct sp_transport *t = o->transport ? sp_transport_find(o->transport)
                                                : sp_transport_default();
    char all[100] = "";
    for (int i = 0, at = 0; sp_transports[i] && !t; i++)
        at += snprintf(all + at, sizeof all - (size_t)at, "%s%s", i ? ", " : "",
                       sp_transports[i]->name);
    if (!t)
        sp_stop_together(SP_EXIT_USAGE, "--transport: '%s' is none of %s", o->transport, all);
    return t;
}

int sp_processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

/* A rank that is bound has what it is bound to; others share the host equally. */
static int share_of_processors(int local)
{
    cpu_set_t set;
    int all = sp_processors(), n = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    int share = n < all ? n : n / local;
    return share > 0 ? share : 1;
}

/* The best of a few short loops, the fastest rank's: others may disturb, none can help. */
static double peak(const struct sp_kernels *k, enum sp_dtype dtype, struct sp_comm *c)
{
    double best = 0;
    for (int i = 0; i < 5 && k->limit; i++) {
        double start = sp_now(), flops = k->limit(dtype, 1 << 18);
        double rate = flops / (sp_now() - start);
        best = rate > best ? rate : best;
    }
    c->transport->reduce(c, &best, 1, SP_MAX);
    return best;
}

struct sp_launch sp_launch_begin(const struct sp_options *o)
{
    struct sp_launch l = { 0 };
    const char *why = NULL;
    l.kernels = sp_kernels_find(o->kernels ? o->kernels : "cpu", &why);
    if (!l.kernels)
        sp_stop_together(SP_EXIT_ENVIRONMENT, "--kernels: %s", why);
    l.world = transport_of(o)->open(&why);
    if (!l.world)
        sp_stop_together(SP_EXIT_ENVIRONMENT, "%s", why);
    l.threads = o->threads ? (int)o->threads : share_of_processors(l.world->local);
    omp_set_num_threads(l.threads);
    l.peak[SP_F32] = peak(l.kernels, SP_F32, l.world);
    l.peak[SP_BF16] = peak(l.kernels, SP_BF16, l.world);
    return l;
}

void sp_launch_end(struct sp_launch *l) { l->world->transport->close(l->world); }

double sp_memory_available(void)
{
    FILE *f = fopen("/proc/meminfo", "r");
    char line[128];
    double kib = -1;
    while (f && kib < 0 && fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %lf", &kib) != 1)
            kib = -1;
    if (f)
        fclose(f);
    return kib < 0 ? 1e18 : kib * 1024;
}
