/* arithmetic.c - from blocks to views, from ops to kernels. */
/* SPDX-License-Identifier: MIT */
#include "executor/arithmetic.h"

#include <math.h>

#include "executor/executor.h"

/* Elements before the first one of a plane of a block. */
static size_t offset(const struct sp_plan *p, struct sp_block b, int plane)
{
    const struct sp_buf *buf = &p->buf[b.buf];
    size_t dim = (size_t)sp_kind_dim(p, buf->kind[0]), row = (size_t)p->pb.batch * (size_t)buf->heads * dim;
    return ((size_t)(b.plane + plane) * (size_t)buf->rows + (size_t)b.row) * row
           + (size_t)b.head * dim;
}

struct sp_view sp_block_view(const struct sp_plan *p, struct sp_block b, int plane,
                             void *const *data)
{
    const struct sp_buf *buf = &p->buf[b.buf];
    long dim = sp_kind_dim(p, buf->kind[0]);
    char *at = data ? data[b.buf] : NULL;
    return (struct sp_view){
        .data = at ? at + offset(p, b, plane) * sp_dtype_bytes(buf->dtype) : NULL,
        .dtype = buf->dtype,
        .rows = b.rows,
        .batch = p->pb.batch,
        .heads = b.heads,
        .dim = (int)dim,
        .row_stride = (long)p->pb.batch * buf->heads * dim,
        .batch_stride = (long)buf->heads * dim,
    };
}

void *sp_block_data(const struct sp_plan *p, struct sp_block b, void *const *data)
{
    return (char *)data[b.buf] + offset(p, b, 0) * sp_dtype_bytes(p->buf[b.buf].dtype);
}

static struct sp_tensors tensors(const struct sp_plan *p, int step, void *const *data)
{
    const struct sp_step *s = &p->step[step];
    const struct sp_block *b = sp_step_blocks(p, step);
    struct sp_view v[SP_MAX_BLOCKS];
    for (int i = 0; i < sp_ops[s->op].nblocks; i++)
        v[i] = sp_block_view(p, b[i], 0, data);
    struct sp_tensors t = {
        .qpos = sp_places_at(&p->places, s->qpos),
        .kpos = sp_places_at(&p->places, s->kpos),
        .causal = p->pb.causal,
        .scale = (float)(1 / sqrt(p->pb.dim)),
    };
    if (s->op == SP_ATTN) {
        t.o = v[0], t.lse = v[1], t.q = v[2], t.k = v[3], t.v = v[4];
    } else {
        t.dq = v[0], t.dk = v[1], t.dv = v[2], t.q = v[3], t.k = v[4], t.v = v[5];
        t.dout = v[6], t.lse = v[7], t.delta = v[8];
    }
    return t;
}

void sp_step_compute(const struct sp_plan *p, int step, void *const *data,
                     const struct sp_kernels *k, void *scratch)
{
    const struct sp_step *s = &p->step[step];
    const struct sp_block *b = sp_step_blocks(p, step);
    struct sp_tensors t;
    switch ((enum sp_op)s->op) {
    case SP_ATTN:
        t = tensors(p, step, data);
        k->attn(&t, scratch);
        break;
    case SP_GRAD:
        t = tensors(p, step, data);
        k->grad(&t, scratch);
        break;
    case SP_DELTA:
        k->delta(sp_block_view(p, b[0], 0, data), sp_block_view(p, b[1], 0, data),
                 sp_block_view(p, b[2], 0, data));
        break;
    case SP_MERGE:
        k->merge(sp_block_view(p, b[0], 0, data), sp_block_view(p, b[1], 0, data),
                 sp_block_view(p, b[2], 0, data), sp_block_view(p, b[3], 0, data));
        break;
    case SP_ADD:
        for (int i = 0; i < b[0].planes; i++)
            k->add(sp_block_view(p, b[0], i, data), sp_block_view(p, b[1], i, data));
        break;
    case SP_COPY:
        for (int i = 0; i < b[0].planes; i++)
            k->copy(sp_block_view(p, b[0], i, data), sp_block_view(p, b[1], i, data));
        break;
    case SP_SEND: case SP_RECV: case SP_NOPS:
        break;
    }
}

size_t sp_scratch_bytes(const struct sp_plan *p, int rank, const struct sp_kernels *k)
{
    size_t most = 0;
    for (int i = 0; i < p->nsteps; i++) {
        const struct sp_step *s = &p->step[i];
        if ((s->op != SP_ATTN && s->op != SP_GRAD) || (rank != SP_ALL_RANKS && s->rank != rank))
            continue;
        struct sp_tensors t = tensors(p, i, NULL);
        size_t bytes = k->scratch(&t);
        most = bytes > most ? bytes : most;
    }
    return most;
}
