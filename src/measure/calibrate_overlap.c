/* calibrate_overlap.c - what kernels and messages do to each other.
 *
 *     alone      |copy|---- attn ----|
 *     both       |copy|------- attn -------|          the kernel takes longer, and the message
 *                       late | message  | late        than alone (calibrate_transfers.c); and
 *                                                     who computes notices late what is done
 *
 * Where a message takes a processor's time, as copies between ranks of a host do, the kernel
 * loses just that. Both take turns, so that a disturbance meets them all. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "measure/calibrate.h"
#include "util/clock.h"
#include "util/stats.h"

enum { DIM = 64, ROW = DIM * 4, HEADS = 4, MOST = 40, FEWEST = 5 };

static const size_t sizes[] = { 1 << 10, 256 << 10, 1 << 20, 4 << 20, 8 << 20, 16 << 20 };

enum { NSIZES = sizeof sizes / sizeof *sizes };

static const double slow = 3e9;             /* bytes/s of a large message, or so */
static const double longest = 25e-3;        /* a kernel, if there is time: longer than any
                                             * of the messages */

struct seen { double attn, attn_both, message, message_both, late; };

/* Of a message, by repetition: issued, and seen to be done. */
struct flight { double start[MOST], end[MOST]; int n; };

struct steps { int copy, attn, send, recv; };

/* ---- plans --------------------------------------------------------------------------- */

static int kernel_rows(const struct sp_lab *l, double seconds)
{
    double rows = sqrt(seconds * l->rate[SP_F32] / (4.0 * DIM * HEADS));
    return rows < 64 ? 64 : rows > 8192 ? 8192 : (int)rows / 64 * 64;
}

static struct sp_plan *plan_of(const struct sp_lab *l, const int pair[2], size_t bytes,
                               double kernel)
{
    int rows = (int)(bytes / ROW), n = kernel_rows(l, kernel);
    struct sp_problem pb = { .seq = rows > n ? rows : n, .batch = 1, .heads = HEADS,
        .kv_heads = HEADS, .dim = DIM, .dtype = SP_F32, .ranks = l->c->ranks };
    struct sp_plan *p = sp_plan_new(&pb);
    struct sp_block from[2], to[2];
    for (int i = 0; i < 2; i++)
        from[i] = sp_bench_input(p, pair[i], SP_K, SP_F32, rows, 1);
    sp_bench_exchange(p, pair, from, 1, to);
    for (int r = 0; r < pb.ranks; r++)
        sp_attn(p, sp_bench_buf(p, r, SP_O, SP_F32, n, HEADS),
                sp_bench_buf(p, r, SP_LSE, SP_F32, n, HEADS),
                sp_bench_input(p, r, SP_Q, SP_F32, n, HEADS),
                sp_bench_input(p, r, SP_K, SP_F32, n, HEADS),
                sp_bench_input(p, r, SP_V, SP_F32, n, HEADS));
    return p;
}

static struct steps find(const struct sp_plan *p, int rank)
{
    struct steps s = { -1, -1, -1, -1 };
    for (int i = 0; i < p->nsteps; i++)
        if (p->step[i].rank == rank)
            *(p->step[i].op == SP_COPY ? &s.copy : p->step[i].op == SP_ATTN ? &s.attn
              : p->step[i].op == SP_SEND ? &s.send : &s.recv) = i;
    return s;
}

/* ---- measuring ---------------------------------------------------------------------------- */

static double length(struct sp_span s) { return s.end - s.start; }

/* Ranks beside the two compute, and have no message: they say nothing. */
static void once(struct sp_bench *b, struct steps s, struct sp_tally t[3], struct flight *f)
{
    const struct sp_span *span = sp_bench_spans(b);
    bool talks = s.send >= 0;
    sp_bench_run(b, SP_FORWARD, SP_COMPUTE_ONLY);
    sp_tally_add(&t[0], talks ? length(span[s.attn]) : 0);
    sp_bench_run(b, SP_FORWARD, SP_OVERLAPPED);
    sp_tally_add(&t[1], talks ? length(span[s.attn]) : 0);
    sp_tally_add(&t[2], talks ? span[s.send].start - span[s.copy].end : 0);
    f->start[f->n] = talks ? fmin(span[s.send].start, span[s.recv].start) : 0;
    f->end[f->n++] = talks ? fmax(span[s.send].end, span[s.recv].end) : 0;
}

/* From when both have issued it until each of the two sees the end, on average: ranks of one
 * host have one clock. Else as the one sees it that comes last. */
static double flight_seconds(struct flight *f, struct sp_comm *c, bool talks, bool near)
{
    struct sp_tally t = { 0 };
    double own[MOST];
    memcpy(own, f->start, sizeof own);
    c->transport->reduce(c, f->start, f->n, SP_MAX);
    for (int i = 0; i < f->n; i++)
        own[i] = !talks ? 0 : near ? (f->end[i] - f->start[i]) / 2 : f->end[i] - own[i];
    if (near)
        c->transport->reduce(c, own, f->n, SP_SUM);
    for (int i = 0; i < f->n; i++)
        sp_tally_add(&t, talks || near ? own[i] : INFINITY);
    return sp_tally_middle(&t, c, SP_FASTEST);
}

static struct seen measure(const struct sp_calibration *c, const int pair[2], bool near,
                           size_t bytes, double kernel, double seconds)
{
    const struct sp_lab *l = c->lab;
    struct sp_plan *p = plan_of(l, pair, bytes, kernel);
    struct steps s = find(p, l->c->rank);
    struct sp_bench *b = sp_bench_new(l, p);
    struct sp_tally t[3] = { 0 };
    struct flight f = { .n = 0 };
    double start = sp_now();
    sp_bench_run(b, SP_FORWARD, SP_OVERLAPPED);
    double fit = seconds / 2 / sp_lab_agree(l, sp_now() - start);
    int n = fit > MOST ? MOST : fit < FEWEST ? FEWEST : (int)fit;
    for (int i = 0; i < n; i++)
        once(b, s, t, &f);
    sp_bench_free(b);
    const struct sp_path_fit *path = &c->profile->path[near ? SP_PATH_MEMORY : SP_PATH_NET];
    return (struct seen){
        .message = (path->half ? 2 : 1) * sp_path_seconds(path, (double)bytes),
        .attn = sp_tally_middle(&t[0], l->c, SP_SLOWEST),
        .attn_both = sp_tally_middle(&t[1], l->c, SP_SLOWEST),
        .message_both = flight_seconds(&f, l->c, s.send >= 0, near),
        .late = sp_tally_middle(&t[2], l->c, SP_SLOWEST) };
}

/* ---- fitting ------------------------------------------------------------------------------ */

/* The smallest message is all delay. What larger ones take beyond it, as a part of what they
 * take alone, is the median over the sizes. What kernels lose meanwhile is summed, for the
 * losses are small beside the kernels. */
static void fit(struct sp_profile *f, const struct seen *x, int n)
{
    double flight = 0, lost = 0, longer[NSIZES];
    f->poll = fmax(0, x[0].message_both - x[0].message);
    for (int i = 1; i < n; i++) {
        longer[i - 1] = fmax(0, (x[i].message_both - f->poll) / x[i].message - 1);
        flight += x[i].message * (1 + longer[i - 1]);
        lost += fmax(0, x[i].attn_both - x[i].attn);
    }
    double part = fmin(lost / flight, 0.95);
    sp_sort(longer, n - 1);
    f->interference.compute = part / (1 - part);
    f->interference.comm = sp_median(longer, n - 1);
}

/* Kernels first, then messages: a curve each in the table. */
static void note(struct sp_calibration *c, const struct seen *x, int n)
{
    const struct sp_interference *f = &c->profile->interference;
    for (int i = 0; i < 2 * n; i++) {
        bool kernel = i < n;
        const struct seen *s = &x[i % n];
        double flight = s->message * (1 + f->comm);
        struct sp_fitted one = {
            .measured = kernel ? s->attn_both : s->message_both,
            .fitted = kernel ? s->attn + flight * f->compute / (1 + f->compute)
                             : flight + c->profile->poll };
        snprintf(one.what, sizeof one.what, kernel ? "attn under a message"
                                                   : "message under attn");
        snprintf(one.size, sizeof one.size, "%zu bytes", sizes[i % n]);
        sp_calibration_note(c, &one);
    }
}

const char *sp_calibrate_overlap(struct sp_calibration *c, double seconds)
{
    int pair[2];
    bool near = sp_bench_pair(c->lab, SP_PATH_MEMORY, pair);
    if (c->lab->c->ranks < 2 || (!near && !sp_bench_pair(c->lab, SP_PATH_NET, pair)))
        return NULL;
    if (c->progress)
        c->progress("kernels and messages at once");
    struct seen x[NSIZES];
    double each = seconds / NSIZES, kernel = fmin(longest, each / (2 * (FEWEST + 2)));
    int n = 2;
    while (n < NSIZES && (double)sizes[n] / slow < kernel / 3)
        n++;
    for (int i = 0; i < n; i++)
        x[i] = measure(c, pair, near, sizes[i], kernel, each);
    fit(c->profile, x, n);
    c->late = x[0].late;
    note(c, x, n);
    c->profile->interference.source =
        strdup("attn under exchanges from 1 KiB on, until messages are a third as long");
    return NULL;
}
