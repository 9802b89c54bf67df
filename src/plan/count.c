/* count.c - bytes, messages, FLOPs and memory of a plan. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "plan/plan.h"
#include "util/memory.h"

enum { CACHE_LINE = 64 };

int sp_kind_dim(const struct sp_plan *p, enum sp_kind kind)
{
    return kind == SP_LSE || kind == SP_DELTAS ? 1 : p->pb.dim;
}

static size_t row_bytes(const struct sp_plan *p, const struct sp_buf *b)
{
    return (size_t)p->pb.batch * sp_dtype_bytes(b->dtype) * (size_t)sp_kind_dim(p, b->kind[0]);
}

size_t sp_block_bytes(const struct sp_plan *p, struct sp_block b)
{
    return (size_t)sp_block_area(b) * row_bytes(p, &p->buf[b.buf]);
}

size_t sp_buf_bytes(const struct sp_plan *p, int buf)
{
    const struct sp_buf *b = &p->buf[buf];
    return (size_t)b->planes * (size_t)b->rows * (size_t)b->heads * row_bytes(p, b);
}

static size_t padded_bytes(const struct sp_plan *p, int buf)
{
    return (sp_buf_bytes(p, buf) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

size_t sp_rank_bytes(const struct sp_plan *p, int rank)
{
    size_t sum = 0;
    for (int i = 0; i < p->nbufs; i++)
        if (p->buf[i].rank == rank)
            sum += padded_bytes(p, i);
    return sum;
}

size_t sp_most_bytes(const struct sp_plan *p)
{
    size_t *sum = sp_alloc((size_t)p->pb.ranks * sizeof *sum), most = 0;
    for (int i = 0; i < p->nbufs; i++)
        sum[p->buf[i].rank] += padded_bytes(p, i);
    for (int r = 0; r < p->pb.ranks; r++)
        most = sum[r] > most ? sum[r] : most;
    free(sum);
    return most;
}

double sp_step_pairs(const struct sp_plan *p, int step)
{
    const struct sp_step *s = &p->step[step];
    if (s->qpos < 0 || s->kpos < 0)
        return 0;
    return sp_pairs(sp_places_at(&p->places, s->qpos), sp_places_at(&p->places, s->kpos),
                    p->pb.causal);
}

/* Two products of pairs x dim multiply-adds in forward, five in backward. */
double sp_step_flops(const struct sp_plan *p, int step)
{
    const struct sp_step *s = &p->step[step];
    if (s->op != SP_ATTN && s->op != SP_GRAD)
        return 0;
    int heads = sp_step_blocks(p, step)[s->op == SP_ATTN ? 2 : 3].heads;
    return (s->op == SP_ATTN ? 4.0 : 10.0) * sp_step_pairs(p, step) * heads * p->pb.dim
           * p->pb.batch;
}

static void count(const struct sp_plan *p, int step, struct sp_count *c)
{
    const struct sp_step *s = &p->step[step];
    if (s->op == SP_SEND) {
        c->bytes[s->lane] += sp_block_bytes(p, sp_step_blocks(p, step)[0]);
        c->messages[s->lane]++;
    }
    c->flops += sp_step_flops(p, step);
}

struct sp_count *sp_plan_counts(const struct sp_plan *p)
{
    struct sp_count *c = sp_alloc((size_t)p->pb.ranks * SP_NPASSES * sizeof *c);
    for (int i = 0; i < p->nsteps; i++)
        count(p, i, &c[p->step[i].rank * SP_NPASSES + (int)sp_step_pass(p, i)]);
    return c;
}

struct sp_count sp_rank_count(const struct sp_plan *p, int rank, enum sp_pass pass)
{
    struct sp_count c = { 0 };
    for (int i = 0; i < p->nsteps; i++)
        if (p->step[i].rank == rank && sp_step_pass(p, i) == pass)
            count(p, i, &c);
    return c;
}

size_t sp_count_bytes(const struct sp_count *c)
{
    size_t sum = 0;
    for (int i = 0; i < SP_NLANES; i++)
        sum += c->bytes[i];
    return sum;
}

long sp_count_messages(const struct sp_count *c)
{
    long sum = 0;
    for (int i = 0; i < SP_NLANES; i++)
        sum += c->messages[i];
    return sum;
}
