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

/* Of the processors that this rank may use, its part when all that ranks may use is more than
 * there is: all of a core it is bound to, a share of a socket or a host it is not alone on. */
static int share_of_processors(struct sp_comm *c)
{
    cpu_set_t set;
    double mine = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    double sum[] = { mine, (double)sp_processors() / c->local };
    c->transport->reduce(c, sum, 2, SP_SUM);
    int share = (int)(sum[0] > sum[1] ? mine * sum[1] / sum[0] + 1e-6 : mine);
    return share > 0 ? share : 1;
}

/* The best of some short loops: others may disturb, none can help. */
static double peak(const struct sp_kernels *k, enum sp_dtype dtype, int loops)
{
    double best = 0;
    for (int i = 0; i < loops && k->limit; i++) {
        double start = sp_now(), flops = k->limit(dtype, 1 << 18);
        double rate = flops / (sp_now() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

void sp_launch_peak(struct sp_launch *l, enum sp_dtype dtype)
{
    double again = peak(l->kernels, dtype, 100);
    l->peak[dtype] = again > l->peak[dtype] ? again : l->peak[dtype];
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
    l.threads = o->threads ? (int)o->threads : share_of_processors(l.world);
    omp_set_num_threads(l.threads);
    l.peak[SP_F32] = peak(l.kernels, SP_F32, 5);
    l.peak[SP_BF16] = peak(l.kernels, SP_BF16, 5);
    l.world->transport->reduce(l.world, l.peak, 2, SP_MAX);
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
