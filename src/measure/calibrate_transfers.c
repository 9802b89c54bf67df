/* calibrate_transfers.c - messages alone: two ranks exchange blocks, one after another.
 *
 *     rank a   copy | send, recv | copy | send, recv | ...      each block has just been
 *     rank b   copy | send, recv | copy | send, recv | ...      written, as in a plan
 *
 * Of the two, the one that comes last sees how long the exchange itself takes. Buffers take
 * turns, so that large ones are as cold as those of a plan, which holds tens of times what it
 * has in flight. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure/calibrate.h"
#include "util/clock.h"
#include "util/memory.h"

enum { DIM = 64, ROW = DIM * 4, MOST_TURNS = 16, GROUP = 4, MOST = 100, FEWEST = 3, ONE_WAY = 0 };

/* Over a network that is slower than memory by far, caches hardly matter, and time does. */
static bool slow_network;
static const size_t footprint = (size_t)256 << 20;     /* of all turns, at most */

static const struct size { size_t bytes; bool held_out; } sizes[] = {
    { 1 << 10, false }, { 4 << 10, false }, { 8 << 10, false }, { 16 << 10, false },
    { 64 << 10, false }, { 128 << 10, true }, { 256 << 10, false }, { 512 << 10, false },
    { 1 << 20, false }, { 3 << 19, true }, { 2 << 20, false }, { 4 << 20, false },
    { 6 << 20, true }, { 8 << 20, false }, { 16 << 20, false }, { 32 << 20, true },
    { 64 << 20, false },
};

enum { NSIZES = sizeof sizes / sizeof *sizes };

/* ---- plans --------------------------------------------------------------------------- */

static int turns_of(size_t bytes)
{
    size_t n = footprint / (2 * bytes);
    if (bytes >= (size_t)1 << 20 && slow_network)
        return 2;
    return n > MOST_TURNS ? MOST_TURNS : n < 2 ? 2 : (int)n;
}

void sp_bench_exchange(struct sp_plan *p, const int pair[2], const struct sp_block from[2],
                       int messages, struct sp_block to[2])
{
    struct sp_block packed[2];
    int rows = from[0].rows / messages;
    for (int i = 0; i < 2; i++) {
        packed[i] = sp_bench_buf(p, pair[i], SP_K, SP_F32, from[0].rows, 1);
        to[i] = sp_bench_buf(p, pair[i], SP_K, SP_F32, from[0].rows, 1);
        sp_copy(p, SP_COMPUTE, packed[i], from[i]);
    }
    sp_group(p);
    for (int i = 0; i < 2; i++)
        for (int m = 0; m < messages; m++)
            sp_move(p, SP_COMM, sp_rows(to[!i], m * rows, rows),
                    sp_rows(packed[i], m * rows, rows));
}

/* The same block again and again, and nothing comes back. */
static void send_one(struct sp_plan *p, const int pair[2], struct sp_block from)
{
    struct sp_block packed = sp_bench_buf(p, pair[0], SP_K, SP_F32, from.rows, 1);
    sp_copy(p, SP_COMPUTE, packed, from);
    sp_group(p);
    sp_move(p, SP_COMM, sp_bench_buf(p, pair[1], SP_K, SP_F32, from.rows, 1), packed);
}

/* messages: of a group, each way; ONE_WAY: one message, and none back. */
static struct sp_plan *plan_of(const struct sp_lab *l, const int pair[2], size_t bytes,
                               int messages)
{
    int rows = (int)(bytes / ROW) * (messages ? messages : 1);
    struct sp_problem pb = { .seq = rows, .batch = 1, .heads = 1, .kv_heads = 1, .dim = DIM,
                             .dtype = SP_F32, .ranks = l->c->ranks };
    struct sp_plan *p = sp_plan_new(&pb);
    struct sp_block at[2], to[2];
    for (int i = 0; i < 2; i++)
        at[i] = sp_bench_input(p, pair[i], SP_K, SP_F32, rows, 1);
    for (int t = 0, n = turns_of((size_t)rows * ROW); t < n; t++) {
        if (messages == ONE_WAY) {
            send_one(p, pair, at[0]);
            continue;
        }
        sp_bench_exchange(p, pair, at, messages, to);
        memcpy(at, to, sizeof at);
    }
    return p;
}

/* ---- measuring ---------------------------------------------------------------------------- */

/* From the first message of a group issued to the last one done; NaN: not of this rank. */
static double group_seconds(const struct sp_plan *p, int rank, const struct sp_span *span, int *at)
{
    double start = INFINITY, end = 0;
    int group = -1;
    for (; *at < p->nsteps; ++*at) {
        const struct sp_step *s = &p->step[*at];
        if (s->rank != rank || s->twin < 0)
            continue;
        if (group >= 0 && s->group != group)
            break;
        group = s->group;
        start = fmin(start, span[*at].start);
        end = fmax(end, span[*at].end);
    }
    return group < 0 ? NAN : end - start;
}

/* Seconds of an exchange of so many messages each way, between two ranks. */
static double exchange(const struct sp_calibration *c, const int pair[2], size_t bytes,
                       int messages, double seconds)
{
    const struct sp_lab *l = c->lab;
    struct sp_plan *p = plan_of(l, pair, bytes, messages);
    struct sp_bench *b = sp_bench_new(l, p);
    struct sp_tally t = { 0 };
    double once = 0;
    for (int i = 0; i < 2; i++)
        once = sp_lab_agree(l, sp_bench_run(b, SP_FORWARD, SP_OVERLAPPED));
    double fit = seconds / once;
    int n = fit > MOST ? MOST : fit < FEWEST ? FEWEST : (int)fit;
    for (int i = 0; i < n; i++) {
        sp_bench_run(b, SP_FORWARD, SP_OVERLAPPED);
        double took;
        int at = 0, turns = turns_of(bytes * (size_t)(messages ? messages : 1));
        for (int k = 0; k < turns; k++) {
            took = group_seconds(p, l->c->rank, sp_bench_spans(b), &at);
            sp_tally_add(&t, !isnan(took) ? took : messages == ONE_WAY ? 0 : INFINITY);
        }
    }
    sp_bench_free(b);
    return sp_tally_typical(&t, l->c, messages == ONE_WAY ? SP_SLOWEST : SP_FASTEST);
}

/* ---- who talks to whom -------------------------------------------------------------------- */

static double host_number(void)
{
    char name[256] = "";
    unsigned hash = 2166136261u;
    gethostname(name, sizeof name - 1);
    for (const char *s = name; *s; s++)
        hash = (hash ^ (unsigned char)*s) * 16777619u;
    return hash;
}

bool sp_bench_pair(const struct sp_lab *l, enum sp_path_class class, int pair[2])
{
    struct sp_comm *c = l->c;
    double *host = sp_alloc((size_t)c->ranks * sizeof *host);
    bool found = false;
    host[c->rank] = host_number();
    c->transport->reduce(c, host, c->ranks, SP_SUM);
    for (int i = 0; i < c->ranks && !found; i++)
        for (int j = i + 1; j < c->ranks && !found; j++)
            if ((host[i] == host[j]) == (class == SP_PATH_MEMORY)) {
                pair[0] = i;
                pair[1] = j;
                found = true;
            }
    free(host);
    return found;
}

/* ---- fitting ------------------------------------------------------------------------------ */

/* Of a group of small messages, what each further one adds; of a group of large ones, how many
 * are really under way at once. */
static void fit_groups(struct sp_calibration *c, const int pair[2], struct sp_path_fit *f,
                       double small, double large, double seconds)
{
    double many_small = exchange(c, pair, sizes[0].bytes, GROUP, seconds / 2),
           many_large = exchange(c, pair, (size_t)1 << 20, GROUP, seconds / 2);
    f->each = fmax(0, (many_small - small) / (GROUP - 1));
    double at_once = GROUP * large / (many_large - (GROUP - 1) * f->each);
    f->concurrent = at_once > GROUP - 0.5 ? 0 : at_once < 1.5 ? 1 : (int)(at_once + 0.5);
}

/* Between ranks of a host, medium messages are the fastest: the caches hold them. So what each
 * size gets is taken as it is, not as a curve that rises. */
static void follow(struct sp_path_fit *f, const struct sp_transfer *t, int n)
{
    sp_curve_free(&f->efficiency);
    f->latency = 0.95 * t[0].seconds;
    f->rate = 0;
    for (int i = 1; i < n; i++)
        f->rate = fmax(f->rate, t[i].bytes / fmax(t[i].seconds - f->latency, 0.02 * t[i].seconds));
    for (int i = 1; i < n; i++) {
        double left = fmax(t[i].seconds - f->latency, 0.02 * t[i].seconds);
        sp_curve_add(&f->efficiency, t[i].bytes, t[i].bytes / left / f->rate);
    }
}

/* A rank copies what it receives, one message after another: together they get no more than
 * one large message does. */
static void fit_link(struct sp_profile *f, const struct sp_transfer *t, int n)
{
    const char *why;
    struct sp_topo *here = sp_topo_load("-", &why);
    double best = 0;
    for (int i = 0; i < n; i++)
        if (t[i].bytes >= 64 << 10)
            best = fmax(best, t[i].bytes / t[i].seconds);
    for (int i = 0; here && i < here->nlinks; i++)
        if (here->link[i].kind == SP_LINK_MEMORY)
            f->link[SP_LINK_MEMORY] = fmin(1, best / here->link[i].rate);
    f->link_source = strdup("memory: what a rank can copy, of this machine's nominal rate");
    sp_topo_free(here);
}

/* Whether a large message takes much longer when another comes the other way. */
static void fit_half(const struct sp_calibration *c, const int pair[2], struct sp_path_fit *f,
                     struct sp_transfer both, double seconds)
{
    double one = exchange(c, pair, (size_t)both.bytes, ONE_WAY, seconds);
    f->half = both.seconds > 1.5 * one;
    if (!f->half)
        return;
    f->rate = both.bytes / one;
    sp_curve_free(&f->efficiency);
}

/* Sizes up to 1 MiB, and what there is time for at that rate: a pass has all turns of both
 * ranks. */
static bool in_time(size_t bytes, double rate, double seconds)
{
    double pass = (double)turns_of(bytes) * 2 * (double)bytes / rate;
    return bytes <= 1 << 20 || (FEWEST + 3) * pass < 2 * seconds;
}

static const char *path_of(struct sp_calibration *c, enum sp_path_class class, double seconds)
{
    int pair[2], n = 0;
    if (!sp_bench_pair(c->lab, class, pair))
        return NULL;
    struct sp_path_fit *f = &c->profile->path[class];
    struct sp_transfer all[NSIZES], used[NSIZES];
    double each = seconds / (NSIZES + 4), large = 0;
    int sizes_in = 0;
    double rate = 3e9;
    slow_network = false;
    for (int i = 0; i < NSIZES && in_time(sizes[i].bytes, rate, each); i++, sizes_in++) {
        all[i] = (struct sp_transfer){ (double)sizes[i].bytes,
                                       exchange(c, pair, sizes[i].bytes, 1, each) };
        large = sizes[i].bytes == 1 << 20 ? all[i].seconds : large;
        if (!sizes[i].held_out)
            used[n++] = all[i];
        if (sizes[i].bytes >= 1 << 18)
            rate = fmin(rate, all[i].bytes / all[i].seconds);
        slow_network = rate < 1e9;
    }
    const char *why = sp_fit_path(f, used, n);
    if (why)
        return why;
    if (class == SP_PATH_MEMORY) {
        follow(f, used, n);
        fit_link(c->profile, used, n);
    }
    fit_groups(c, pair, f, all[0].seconds, large, 2 * each);
    if (class == SP_PATH_NET)
        fit_half(c, pair, f, all[sizes_in - 1], 2 * each);
    f->source = strdup("exchanges of two ranks, both ways at once, of blocks just written");
    for (int i = 0; i < sizes_in; i++) {
        struct sp_fitted x = { .measured = all[i].seconds, .held_out = sizes[i].held_out };
        x.fitted = sp_path_seconds(f, all[i].bytes);
        snprintf(x.what, sizeof x.what, "message, %s", sp_path_names[class]);
        snprintf(x.size, sizeof x.size, "%.0f bytes", all[i].bytes);
        sp_calibration_note(c, &x);
    }
    return NULL;
}

const char *sp_calibrate_transfers(struct sp_calibration *c, double seconds)
{
    if (c->lab->c->ranks < 2)
        return NULL;
    int pair[2];
    bool both = sp_bench_pair(c->lab, SP_PATH_MEMORY, pair)
                && sp_bench_pair(c->lab, SP_PATH_NET, pair);
    double each = both ? seconds / 2 : seconds;
    if (c->progress)
        c->progress("messages");
    const char *why = path_of(c, SP_PATH_MEMORY, each);
    return why ? why : path_of(c, SP_PATH_NET, each);
}
