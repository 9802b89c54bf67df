/* inputs.c - a counter-based generator: element d of a row is a hash of where it is.
 *
 * K, V and dO are near-normal, of variance 1. A query is near-normal too, with a little of
 * some keys added, so that no fault stays hidden at any length:
 *
 *     its own key              missed when the mask hides one too many
 *     one key drawn by hash    (of those it sees) missed when what is far away gets lost
 *     the first it may not see  counts much when the mask shows one too many
 *
 * Each of these scores about 1 + ln(visible)/2 more than others do. It then weighs about
 * sqrt(visible) of them, which is as much as all of them move the sum of values, whose signs
 * are random. So a special key too many or too few changes a row by its own size; and a row
 * has not been made so large that its rounding covers what a lost tile of plain keys takes
 * away, which heavier keys would do. Errors are to be seen relative to the row: verify.h. */
/* SPDX-License-Identifier: MIT */
#include "measure/inputs.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "executor/arithmetic.h"
#include "executor/executor.h"
#include "util/memory.h"

static const uint64_t GOLDEN = 0x9e3779b97f4a7c15u;

static uint64_t mix(uint64_t z)         /* splitmix64 */
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

unsigned long sp_input_hash(unsigned long seed, int kind, int b, int head, long pos)
{
    uint64_t h = mix(seed + GOLDEN * (uint64_t)(kind + 1));
    h = mix(h + GOLDEN * (uint64_t)(b + 1));
    h = mix(h + GOLDEN * (uint64_t)(head + 1));
    return (unsigned long)mix(h + GOLDEN * (uint64_t)(pos + 1));
}

/* Cheaper, for the elements of a row: wyrand, one product of twice 64 bits. */
static uint64_t mix_fast(uint64_t z)
{
    const unsigned __int128 both = (unsigned __int128)z * (z ^ 0xe7037ed1a0b428dbu);
    return (uint64_t)both ^ (uint64_t)(both >> 64);
}

/* The sum of four uniform 16-bit numbers, moved to mean 0 and scaled to variance 1. */
static void normal_row(uint64_t key, float *row, int dim)
{
    const uint64_t low = 0x0000ffff0000ffffu;
    const float mean = 4 * 65535 / 2, scale = 1 / 37837.227f;   /* 65536 / sqrt(3) */
    for (int d = 0; d < dim; d++) {
        uint64_t z = mix_fast(key + GOLDEN * (uint64_t)(d + 1));
        uint64_t two = (z & low) + (z >> 16 & low);
        row[d] = ((float)(int)((two & 0xffffffffu) + (two >> 32)) - mean) * scale;
    }
}

/* row += a * the key at that place */
static void lean_on(const struct sp_problem *pb, unsigned long seed, int b, int head, long pos,
                    float a, float *row, float *key)
{
    normal_row(sp_input_hash(seed, SP_K, b, head, pos), key, pb->dim);
    for (int d = 0; d < pb->dim; d++)
        row[d] += a * key[d];
}

static void query_row(const struct sp_problem *pb, unsigned long seed, int b, int head, long pos,
                      unsigned long draw, float *row)
{
    const int kv = head / (pb->heads / pb->kv_heads);
    const long visible = pb->causal ? pos + 1 : pb->seq;
    const float a = (float)((1 + 0.5 * log((double)visible)) / sqrt(pb->dim));
    float key[pb->dim];
    lean_on(pb, seed, b, kv, pos, a, row, key);
    lean_on(pb, seed, b, kv, (long)(mix(draw) % (uint64_t)visible), a, row, key);
    if (pb->causal && pos + 1 < pb->seq)
        lean_on(pb, seed, b, kv, pos + 1, a, row, key);
}

void sp_input_row(const struct sp_problem *pb, unsigned long seed, enum sp_kind kind, int b,
                  int head, long pos, float *row)
{
    assert(kind == SP_Q || kind == SP_K || kind == SP_V || kind == SP_DO);
    const unsigned long key = sp_input_hash(seed, kind, b, head, pos);
    normal_row(key, row, pb->dim);
    if (kind == SP_Q)
        query_row(pb, seed, b, head, pos, key, row);
}

void sp_input_round(enum sp_dtype dtype, float *x, int n)
{
    if (dtype == SP_F32)
        return;
    for (int i = 0; i < n; i++)
        x[i] = sp_bf16_widen(sp_bf16_round(x[i]));
}

/* Row i of a view of heads from `head` on. */
static void fill_row(const struct sp_problem *pb, unsigned long seed, enum sp_kind kind,
                     const struct sp_view *v, int i, int head, long pos)
{
    float row[pb->dim];
    for (int b = 0; b < v->batch; b++)
        for (int h = 0; h < v->heads; h++) {
            const long at = i * v->row_stride + b * v->batch_stride + (long)h * v->dim;
            sp_input_row(pb, seed, kind, b, head + h, pos, row);
            for (int d = 0; d < v->dim; d++)
                sp_view_set(v, at + d, row[d]);
        }
}

static void fill(const struct sp_plan *p, const struct sp_held *in, unsigned long seed,
                 void *const *data)
{
    const struct sp_where at = sp_places_at(&p->places, in->list);
    for (int plane = 0; plane < in->b.planes; plane++) {
        const enum sp_kind kind = p->buf[in->b.buf].kind[in->b.plane + plane];
        const struct sp_view v = sp_block_view(p, in->b, plane, data);
        long first = 0;
        for (int r = 0; r < at.nruns; first += at.run[r++].count) {
            const struct sp_run run = at.run[r];
#pragma omp parallel for schedule(static)
            for (long i = 0; i < run.count; i++)
                fill_row(&p->pb, seed, kind, &v, (int)(first + i), in->head,
                         run.start + i * run.stride);
        }
    }
}

void sp_inputs_fill(const struct sp_plan *p, int rank, unsigned long seed, void *const *data)
{
    for (int i = 0; i < p->nheld; i++)
        if (rank == SP_ALL_RANKS || p->buf[p->held[i].b.buf].rank == rank)
            fill(p, &p->held[i], seed, data);
}
