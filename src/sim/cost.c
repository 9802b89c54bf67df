/* cost.c - seconds of one step, by the numbers of a profile. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>

#include "sim/profile.h"

/* Bytes that pass between the device and its memory: blocks read plus blocks written, so one
 * that is changed in place counts twice. */
static double moved_bytes(const struct sp_plan *p, int step)
{
    const struct sp_step *s = &p->step[step];
    const struct sp_opinfo *op = &sp_ops[s->op];
    double bytes = 0;
    for (int i = 0; i < op->nblocks; i++) {
        unsigned times = (op->writes >> i & 1) + (op->reads >> i & 1);
        bytes += times * (double)sp_block_bytes(p, sp_step_blocks(p, step)[i]);
    }
    return bytes;
}

static double most_elements(const struct sp_plan *p, int step)
{
    double most = 0;
    for (int i = 0; i < sp_ops[p->step[step].op].nblocks; i++) {
        struct sp_block b = sp_step_blocks(p, step)[i];
        double width = (double)sp_dtype_bytes(p->buf[b.buf].dtype);
        most = fmax(most, (double)sp_block_bytes(p, b) / width);
    }
    return most;
}

struct sp_work sp_step_work(const struct sp_plan *p, int step)
{
    const struct sp_step *s = &p->step[step];
    struct sp_work w = { .op = s->op, .dtype = p->pb.dtype, .dim = p->pb.dim,
                         .batch = p->pb.batch };
    if (s->op != SP_ATTN && s->op != SP_GRAD) {
        if (s->op != SP_SEND && s->op != SP_RECV) {
            w.bytes = moved_bytes(p, step);
            w.elements = most_elements(p, step);
        }
        return w;
    }
    const struct sp_block *q = &sp_step_blocks(p, step)[s->op == SP_ATTN ? 2 : 3];
    w.heads = q[0].heads;
    w.kv_heads = q[1].heads;
    w.rows = q[0].rows;
    w.keys = q[1].rows;
    w.pairs = w.rows * w.keys;
    if (p->pb.causal && s->qpos >= 0 && s->kpos >= 0) {
        w.q = sp_places_at(&p->places, s->qpos);
        w.k = sp_places_at(&p->places, s->kpos);
        const struct sp_list *list = p->places.list;
        w.causal = list[s->kpos].high > list[s->qpos].low;
        if (w.causal)
            w.pairs = sp_pairs(w.q, w.k, true);
    }
    return w;
}

struct sp_work sp_square_work(enum sp_op op, enum sp_dtype dtype, int dim, int heads, int batch,
                              long rows, long keys, bool causal)
{
    struct sp_work w = {
        .op = op,
        .dtype = dtype,
        .dim = dim,
        .heads = heads,
        .kv_heads = heads,
        .batch = batch,
        .rows = (double)rows,
        .keys = (double)keys,
        .pairs = (double)rows * (double)keys,
        .causal = causal,
        .offset = keys - rows,
    };
    struct sp_run q = { w.offset, 1, rows }, k = { 0, 1, keys };
    if (causal)
        w.pairs = sp_pairs((struct sp_where){ &q, 1 }, (struct sp_where){ &k, 1 }, true);
    return w;
}

/* Two products of pairs x dim multiply-adds in forward, five in backward: sp_step_flops. */
double sp_work_flops(const struct sp_work *w)
{
    if (w->op != SP_ATTN && w->op != SP_GRAD)
        return 0;
    return (w->op == SP_ATTN ? 4.0 : 10.0) * w->pairs * w->heads * w->batch * w->dim;
}

/* ---- kernels ----------------------------------------------------------------------- */

/* The kernel for this op and dtype that needs the least stretching; NULL: none. Other dtypes
 * say nothing: fp32 on the tensor cores of bf16 would be above the device's peak. */
static const struct sp_kernel_fit *nearest(const struct sp_profile *p, const struct sp_work *w)
{
    const struct sp_kernel_fit *best = NULL;
    double least = INFINITY;
    for (int i = 0; i < p->nkernels; i++) {
        const struct sp_kernel_fit *k = &p->kernel[i];
        if (k->op != w->op || k->dtype != w->dtype)
            continue;
        double far = fabs(log((double)w->dim / k->dim));
        if (far < least) {
            best = k;
            least = far;
        }
    }
    return best;
}

/* When the last slot is done. Equal items: waves of one for each slot, and one that has its slot
 * for itself takes longer than its half of two (two hide each other's delays): the last of an
 * odd number. Unequal items fill the gaps, but for the last ones. */
static double busiest_slot(const struct sp_kernel_fit *k, const struct sp_tiles *t,
                           double copies, double slots)
{
    static const double few = 0.8;      /* num_splits_heuristic of FlashAttention */
    double items = t->items * copies, sum = t->sum * copies;
    double longest = t->longest * fmax(1, 1 / slots) / k->alone;
    if (k->split > 0 && items < few * slots) {
        double uneven = k->tail * (t->longest * items - sum);   /* pieces are of equal keys */
        return fmin((sum + uneven) / slots / k->split, longest);
    }
    double waves = ceil(items / slots - 1e-9);
    if (waves <= 1)
        return longest;
    double odd = fmod(waves, 2) == 1 ? 1 / k->alone - 1 : 0;
    double idle = (waves - items / slots + odd) * t->shortest
                  + k->tail * (t->longest - t->shortest);
    return fmax(longest, sum / slots + idle);
}

/* The larger of two, with a rounded corner: near it, now one and now the other is late. */
static double larger(double x, double y)
{
    if (y <= 0)
        return x;
    double part = fmin(x, y) / fmax(x, y);
    part *= part * part;
    return fmax(x, y) * pow(1 + part * part, 1.0 / 6);
}

/* On the device alone. */
static double device_seconds(const struct sp_kernel_fit *k, const struct sp_work *w,
                             double slots, double stretch)
{
    struct sp_tiles t = sp_count_tiles(k, w);
    double copies = (double)w->heads * w->batch;
    double busy = busiest_slot(k, &t, copies, slots);
    return k->launch + stretch * (copies * w->rows * k->row
                                  + (double)w->kv_heads * w->batch * w->keys * k->key
                                  + busy * sp_curve_at(&k->correction, sp_work_flops(w), NULL));
}

double sp_kernel_seconds(const struct sp_kernel_fit *k, const struct sp_work *w, double slots,
                         double stretch)
{
    return larger(device_seconds(k, w, slots, stretch), k->host);
}

/* Another of the same op and dtype, of the next nearest head dim; NULL: none. */
static const struct sp_kernel_fit *next_nearest(const struct sp_profile *p,
                                                const struct sp_kernel_fit *first, int dim)
{
    const struct sp_kernel_fit *best = NULL;
    for (int i = 0; i < p->nkernels; i++) {
        const struct sp_kernel_fit *k = &p->kernel[i];
        if (k->op == first->op && k->dtype == first->dtype && k->dim != first->dim &&
            (!best || abs(k->dim - dim) < abs(best->dim - dim)))
            best = k;
    }
    return best;
}

/* Of a head dim that wasn't measured: on the straight line through two that were, since part
 * of a tile's time (softmax) doesn't depend on it; but no less than in proportion. */
static double between_dims(const struct sp_profile *p, const struct sp_kernel_fit *k,
                           const struct sp_work *w, double slots)
{
    const struct sp_kernel_fit *other = next_nearest(p, k, w->dim);
    double least = device_seconds(k, w, slots, (double)w->dim / k->dim);
    if (!other)
        return least;
    double one = device_seconds(k, w, slots, 1);
    double two = device_seconds(other, w, slots, 1);
    double line = one + (two - one) * (w->dim - k->dim) / (other->dim - k->dim);
    return w->dim < k->dim ? fmax(line, least) : fmax(line, one);
}

/* Without the host's part: that is of the benchmark fitted, not of what is simulated, whose own
 * is `issue`. */
static double kernel_seconds(const struct sp_profile *p, const struct sp_work *w, double slots,
                             bool *inside)
{
    const struct sp_kernel_fit *k = nearest(p, w);
    if (!k)
        return NAN;
    if (inside && (k->dim != w->dim || w->rows < k->low_rows || w->rows > k->high_rows ||
                   w->keys < k->low_keys || w->keys > k->high_keys))
        *inside = false;
    return k->dim == w->dim ? device_seconds(k, w, slots, 1) : between_dims(p, k, w, slots);
}

double sp_work_full(const struct sp_profile *p, const struct sp_work *w)
{
    const struct sp_kernel_fit *k = w->op == SP_ATTN || w->op == SP_GRAD ? nearest(p, w) : NULL;
    if (!k)
        return 0;
    double waves = sp_count_tiles(k, w).items * w->heads * w->batch / p->slots;
    return waves > 1 ? 1 - 1 / waves : 0;
}

/* ---- the rest ----------------------------------------------------------------------------- */

static double stream_seconds(const struct sp_profile *p, const struct sp_work *w, bool *inside)
{
    static const enum sp_op alike[] = { SP_COPY, SP_ADD, SP_MERGE, SP_DELTA };
    const struct sp_stream_fit *f = &p->stream[w->op];
    for (size_t i = 0; !f->known && i < sizeof alike / sizeof *alike; i++) {
        f = &p->stream[alike[i]];
        if (inside)
            *inside = false;
    }
    if (!f->known)
        return NAN;
    double by_bytes = f->rate > 0 ? w->bytes / f->rate : 0;
    double by_elements = f->element.n ? w->elements * sp_curve_at(&f->element, w->elements, NULL)
                                      : 0;
    return f->launch + by_bytes + by_elements;
}

double sp_work_seconds_on(const struct sp_profile *p, const struct sp_work *w, double slots,
                          bool *inside)
{
    switch (w->op) {
    case SP_ATTN: case SP_GRAD:
        return kernel_seconds(p, w, slots, inside);
    case SP_SEND: case SP_RECV:
        return 0;
    default:
        return stream_seconds(p, w, inside);
    }
}

double sp_work_seconds(const struct sp_profile *p, const struct sp_work *w, bool *inside)
{
    return sp_work_seconds_on(p, w, p->slots, inside);
}
