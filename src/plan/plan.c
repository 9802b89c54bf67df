/* plan.c - building: steps are appended, their blocks followed. */
/* SPDX-License-Identifier: MIT */
#include "plan/plan.h"

#include <assert.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>

#include "plan/order.h"
#include "util/memory.h"

enum { ANY = -1 };

const struct sp_opinfo sp_ops[SP_NOPS] = {
    [SP_ATTN]  = { "attn",  5, 0x003, 0x01c, { SP_O, SP_LSE, SP_Q, SP_K, SP_V } },
    [SP_GRAD]  = { "grad",  9, 0x007, 0x1f8, { SP_DQ, SP_DK, SP_DV, SP_Q, SP_K, SP_V, SP_DO,
                                               SP_LSE, SP_DELTAS } },
    [SP_DELTA] = { "delta", 3, 0x001, 0x006, { SP_DELTAS, SP_O, SP_DO } },
    [SP_MERGE] = { "merge", 4, 0x003, 0x00f, { SP_O, SP_LSE, SP_O, SP_LSE } },
    [SP_ADD]   = { "add",   2, 0x001, 0x003, { ANY, ANY } },
    [SP_COPY]  = { "copy",  2, 0x001, 0x002, { ANY, ANY } },
    [SP_SEND]  = { "send",  1, 0x000, 0x001, { ANY } },
    [SP_RECV]  = { "recv",  1, 0x001, 0x000, { ANY } },
};

const char *const sp_kind_names[SP_NKINDS] = {
    "q", "k", "v", "o", "lse", "do", "delta", "dq", "dk", "dv"
};

const char *const sp_lane_names[SP_NLANES] = { "compute", "comm", "comm2" };

static void wrong(struct sp_plan *p, const char *text, ...)
{
    if (p->why[0])
        return;
    int n = snprintf(p->why, sizeof p->why, "step %d: ", p->nsteps);
    va_list ap;
    va_start(ap, text);
    vsnprintf(p->why + n, sizeof p->why - (size_t)n, text, ap);
    va_end(ap);
}

/* ---- the plan and its buffers ----------------------------------------------------- */

struct sp_plan *sp_plan_new(const struct sp_problem *pb)
{
    struct sp_plan *p = sp_alloc(sizeof *p);
    p->pb = *pb;
    p->backward_at = INT_MAX;
    p->share = sp_alloc((size_t)pb->ranks * sizeof *p->share);
    p->home = sp_alloc((size_t)pb->ranks * sizeof *p->home);
    for (int r = 0; r < pb->ranks; r++)
        p->home[r] = -1;
    return p;
}

void sp_plan_free(struct sp_plan *p)
{
    if (!p)
        return;
    for (int i = 0; i < p->nbufs; i++)
        sp_region_free(&p->region[i]);
    sp_places_free(&p->places);
    free(p->region);
    free(p->buf);
    free(p->step);
    free(p->block);
    free(p->need);
    free(p->held);
    free(p->share);
    free(p->home);
    free(p);
}

/* Of a row and head; else there are dim. */
static bool one_number(enum sp_kind k) { return k == SP_LSE || k == SP_DELTAS; }

int sp_buf_new(struct sp_plan *p, int rank, const struct sp_buf *shape)
{
    p->buf = sp_grow(p->buf, p->nbufs, sizeof *p->buf);
    p->region = sp_grow(p->region, p->nbufs, sizeof *p->region);
    struct sp_buf *b = &p->buf[p->nbufs];
    *b = *shape;
    b->rank = rank;
    b->planes = b->planes ? b->planes : 1;
    if (one_number(b->kind[0]))
        b->dtype = SP_F32;
    for (int i = 1; i < b->planes && i < SP_MAX_PLANES; i++)
        if (one_number(b->kind[i]) != one_number(b->kind[0]))
            wrong(p, "buffer '%s' of rank %d mixes planes of one number a row with others",
                  b->name, rank);
    if (b->rows < 1 || b->heads < 1 || b->planes > SP_MAX_PLANES)
        wrong(p, "buffer '%s' of rank %d has %d rows and %d heads", b->name, rank, b->rows, b->heads);
    p->region[p->nbufs] = (struct sp_region){ 0 };
    return p->nbufs++;
}

struct sp_block sp_whole(const struct sp_plan *p, int buf)
{
    const struct sp_buf *b = &p->buf[buf];
    return (struct sp_block){ .buf = buf, .rows = b->rows, .heads = (short)b->heads,
                              .planes = (signed char)b->planes };
}

struct sp_block sp_planes(struct sp_block b, int plane, int planes)
{
    assert(plane >= 0 && planes > 0 && plane + planes <= b.planes);
    b.plane = (signed char)(b.plane + plane);
    b.planes = (signed char)planes;
    return b;
}

struct sp_block sp_rows(struct sp_block b, int row, int rows)
{
    assert(row >= 0 && rows > 0 && row + rows <= b.rows);
    b.row += row;
    b.rows = rows;
    return b;
}

struct sp_block sp_heads(struct sp_block b, int head, int heads)
{
    assert(head >= 0 && heads > 0 && head + heads <= b.heads);
    b.head = (short)(b.head + head);
    b.heads = (short)heads;
    return b;
}

void sp_home(struct sp_plan *p, int rank, struct sp_share share)
{
    struct sp_run run[2];
    int n = sp_shard(p->pb.layout, p->pb.seq, share.shard, share.shards, run);
    int list = sp_places_add(&p->places, run, n);
    long rows = sp_places_rows(&p->places, list) / share.parts;
    p->share[rank] = share;
    p->home[rank] = sp_places_cut(&p->places, list, share.part * rows, rows);
}

void sp_hold(struct sp_plan *p, struct sp_block b, struct sp_where at, int head)
{
    int list = sp_places_add(&p->places, at.run, at.nruns);
    const struct sp_buf *buf = &p->buf[b.buf];
    if (buf->role != SP_INPUT)
        wrong(p, "'%s' of rank %d is held but is no input", buf->name, buf->rank);
    if (sp_places_rows(&p->places, list) != b.rows)
        wrong(p, "'%s' of rank %d has %d rows for %ld places", buf->name, buf->rank, b.rows,
              sp_places_rows(&p->places, list));
    p->held = sp_grow(p->held, p->nheld, sizeof *p->held);
    p->held[p->nheld++] = (struct sp_held){ b, list, head };
    sp_region_write(&p->region[b.buf], b, (struct sp_content){ list, 0, head, 0 }, -1);
}

void sp_group(struct sp_plan *p) { p->group++; }

void sp_backward(struct sp_plan *p)
{
    if (p->backward_at != INT_MAX)
        wrong(p, "the backward pass begins twice");
    p->backward_at = p->nsteps;
    p->group++;
}

/* ---- where a block's rows are ----------------------------------------------------- */

static int by_row(const void *a, const void *b)
{
    const struct sp_box *x = a, *y = b;
    return x->b.row != y->b.row ? (x->b.row < y->b.row ? -1 : 1)
           : x->b.rows != y->b.rows ? (x->b.rows < y->b.rows ? -1 : 1) : 0;
}

/* The boxes of b, cut to it, by row; they must tile it, planes and heads of the same rows
 * alike. Returns the list of its rows' places and its first head, or list -1. */
static struct sp_content several(struct sp_plan *p, struct sp_block b)
{
    struct sp_content none = { .list = -1 }, is = { 0 };
    struct sp_box *part = NULL, *x;
    struct sp_run *run = NULL;
    long area = 0;
    int n = 0, nruns = 0, list = -1;
    bool known = true;
    for (int i = 0; (x = sp_region_next(&p->region[b.buf], b, &i));) {
        struct sp_block c = sp_block_common(x->b, b);
        part = sp_grow(part, n, sizeof *part);
        part[n] = (struct sp_box){ .b = c, .is = sp_box_part(x, c) };
        known &= x->is.list >= 0;
        area += sp_block_area(c);
        n++;
    }
    bool good = n && known && area == sp_block_area(b);
    if (good)
        qsort(part, (size_t)n, sizeof *part, by_row);
    for (int i = 0; i < n && good; i++) {
        struct sp_block c = part[i].b;
        int at = sp_places_cut(&p->places, part[i].is.list, part[i].is.skip, c.rows);
        int head = part[i].is.head - (c.head - b.head);
        bool same = i && c.row == part[i - 1].b.row && c.rows == part[i - 1].b.rows;
        good = (i == 0 || head == is.head) && (same ? at == list : i == 0
               || c.row == part[i - 1].b.row + part[i - 1].b.rows);
        is.head = head;
        list = at;
        struct sp_where w = sp_places_at(&p->places, at);
        for (int j = 0; j < w.nruns && !same; j++) {
            run = sp_grow(run, nruns, sizeof *run);
            run[nruns++] = w.run[j];
        }
    }
    if (good)
        is.list = sp_places_add(&p->places, run, nruns);
    free(part);
    free(run);
    return good ? is : none;
}

static struct sp_content where(struct sp_plan *p, struct sp_block b)
{
    struct sp_box *x;
    int i = 0;
    x = sp_region_next(&p->region[b.buf], b, &i);
    if (!x || sp_block_area(sp_block_common(x->b, b)) != sp_block_area(b))
        return several(p, b);
    struct sp_content is = sp_box_part(x, b);
    if (is.list >= 0)                   /* -1: what made no sense was put there */
        is.list = sp_places_cut(&p->places, is.list, is.skip, b.rows);
    is.skip = 0;
    return is;
}

bool sp_block_sees(struct sp_plan *p, struct sp_block q, struct sp_block k)
{
    int a = where(p, q).list, b = where(p, k).list;
    return a >= 0 && b >= 0
           && sp_sees(sp_places_at(&p->places, a), sp_places_at(&p->places, b), p->pb.causal);
}

/* ---- steps ------------------------------------------------------------------------- */

static enum sp_kind kind_of(const struct sp_plan *p, struct sp_block b, int plane)
{
    return p->buf[b.buf].kind[b.plane + plane];
}

static struct sp_step *push(struct sp_plan *p, enum sp_op op, enum sp_lane lane, int group,
                            const struct sp_block *b)
{
    int rank = p->buf[b[0].buf].rank, id = p->nsteps;
    for (int i = 0; i < sp_ops[op].nblocks; i++) {
        const struct sp_buf *buf = &p->buf[b[i].buf];
        int want = sp_ops[op].kind[i];
        if (buf->rank != rank)
            wrong(p, "%s of rank %d uses '%s' of rank %d", sp_ops[op].name, rank, buf->name, buf->rank);
        if (want != ANY && (b[i].planes != 1 || kind_of(p, b[i], 0) != (enum sp_kind)want))
            wrong(p, "%s takes '%s' where %s belongs", sp_ops[op].name, buf->name,
                  sp_kind_names[want]);
        p->block = sp_grow(p->block, p->nblocks, sizeof *p->block);
        p->block[p->nblocks++] = b[i];
    }
    p->step = sp_grow(p->step, p->nsteps, sizeof *p->step);
    p->step[p->nsteps++] = (struct sp_step){
        .op = (unsigned char)op, .lane = (unsigned char)lane, .rank = rank, .twin = -1,
        .group = group, .need = p->nneeds, .qpos = -1, .kpos = -1,
        .block = p->nblocks - sp_ops[op].nblocks,
    };
    for (int i = 0; i < sp_ops[op].nblocks; i++)
        if (sp_ops[op].reads >> i & 1)
            sp_order_read(p, b[i]);
    for (int i = 0; i < sp_ops[op].nblocks; i++)
        if (sp_ops[op].writes >> i & 1)
            sp_order_write(p, b[i]);
    return &p->step[id];
}

/* Blocks of the same rows and heads, all holding the same places. */
static struct sp_content alike(struct sp_plan *p, const struct sp_block *b, int n)
{
    struct sp_content first = where(p, b[0]);
    for (int i = 0; i < n; i++) {
        struct sp_content is = where(p, b[i]);
        const char *name = p->buf[b[i].buf].name;
        if (is.list < 0)
            wrong(p, "reads a part of '%s' of rank %d that was never written, or in pieces "
                  "that don't fit", name, p->buf[b[i].buf].rank);
        else if (is.list != first.list || is.head != first.head || b[i].heads != b[0].heads)
            wrong(p, "'%s' and '%s' of rank %d hold other places or heads",
                  p->buf[b[0].buf].name, name, p->buf[b[i].buf].rank);
    }
    return first;
}

static void fits(struct sp_plan *p, struct sp_block to, struct sp_block like)
{
    if (to.rows != like.rows || to.heads != like.heads || to.planes != like.planes)
        wrong(p, "'%s' takes %d rows x %d heads where '%s' has %d x %d", p->buf[to.buf].name,
              to.rows, to.heads, p->buf[like.buf].name, like.rows, like.heads);
}

static void now_holds(struct sp_plan *p, struct sp_block b, struct sp_content is)
{
    sp_region_write(&p->region[b.buf], b, is, p->nsteps - 1);
}

/* The query heads must be those of the KV heads: whole groups, or a part of one. */
static void same_heads(struct sp_plan *p, struct sp_block q, struct sp_content qis,
                       struct sp_block k, struct sp_content kis)
{
    int group = p->pb.heads / p->pb.kv_heads;
    if (qis.head / group != kis.head || (qis.head + q.heads - 1) / group != kis.head + k.heads - 1
        || (k.heads > 1 && (qis.head % group || q.heads % group)))
        wrong(p, "query heads %d..%d do not belong to KV heads %d..%d", qis.head,
              qis.head + q.heads - 1, kis.head, kis.head + k.heads - 1);
}

void sp_attn(struct sp_plan *p, struct sp_block o, struct sp_block lse, struct sp_block q,
             struct sp_block k, struct sp_block v)
{
    const struct sp_block b[] = { o, lse, q, k, v };
    struct sp_content qis = alike(p, &b[2], 1), kis = alike(p, &b[3], 2);
    fits(p, o, q);
    fits(p, lse, q);
    same_heads(p, q, qis, k, kis);
    struct sp_step *s = push(p, SP_ATTN, SP_COMPUTE, -1, b);
    s->qpos = qis.list;
    s->kpos = kis.list;
    now_holds(p, o, qis);
    now_holds(p, lse, qis);
}

void sp_grad(struct sp_plan *p, struct sp_grad_blocks g)
{
    const struct sp_block b[] = { g.dq, g.dk, g.dv, g.q, g.k, g.v, g.dout, g.lse, g.delta };
    const struct sp_block queries[] = { g.q, g.dout, g.lse, g.delta };
    struct sp_content qis = alike(p, queries, 4), kis = alike(p, &b[4], 2);
    fits(p, g.dq, g.q);
    fits(p, g.dk, g.k);
    fits(p, g.dv, g.k);
    same_heads(p, g.q, qis, g.k, kis);
    struct sp_step *s = push(p, SP_GRAD, SP_COMPUTE, -1, b);
    s->qpos = qis.list;
    s->kpos = kis.list;
    now_holds(p, g.dq, qis);
    now_holds(p, g.dk, kis);
    now_holds(p, g.dv, kis);
}

void sp_delta(struct sp_plan *p, struct sp_block delta, struct sp_block o, struct sp_block dout)
{
    const struct sp_block b[] = { delta, o, dout };
    struct sp_content is = alike(p, &b[1], 2);
    fits(p, delta, o);
    push(p, SP_DELTA, SP_COMPUTE, -1, b);
    now_holds(p, delta, is);
}

void sp_merge(struct sp_plan *p, struct sp_block o, struct sp_block lse, struct sp_block part,
              struct sp_block part_lse)
{
    const struct sp_block b[] = { o, lse, part, part_lse };
    struct sp_content is = alike(p, b, 4);
    push(p, SP_MERGE, SP_COMPUTE, -1, b);
    now_holds(p, o, is);
    now_holds(p, lse, is);
}

/* Two blocks of one shape, plane by plane of one kind. */
static void pair(struct sp_plan *p, const char *op, struct sp_block to, struct sp_block from)
{
    fits(p, to, from);
    for (int i = 0; i < to.planes && i < from.planes; i++)
        if (kind_of(p, to, i) != kind_of(p, from, i))
            wrong(p, "%s puts %s into '%s', which is for %s", op, sp_kind_names[kind_of(p, from, i)],
                  p->buf[to.buf].name, sp_kind_names[kind_of(p, to, i)]);
}

static void carry(struct sp_plan *p, struct sp_block to, struct sp_block from)
{
    if (!sp_region_carry(&p->region[to.buf], to, &p->region[from.buf], from, p->nsteps - 1))
        wrong(p, "reads a part of '%s' of rank %d that was never written", p->buf[from.buf].name,
              p->buf[from.buf].rank);
}

void sp_add(struct sp_plan *p, struct sp_block x, struct sp_block y)
{
    const struct sp_block b[] = { x, y };
    pair(p, "add", x, y);
    for (int i = 0; i < x.planes && i < y.planes; i++) {
        const struct sp_block planes[] = { sp_planes(x, i, 1), sp_planes(y, i, 1) };
        alike(p, planes, 2);
    }
    push(p, SP_ADD, SP_COMPUTE, -1, b);
    carry(p, x, y);
}

static void copy(struct sp_plan *p, enum sp_lane lane, int group, struct sp_block to,
                 struct sp_block from)
{
    const struct sp_block b[] = { to, from };
    pair(p, "copy", to, from);
    push(p, SP_COPY, lane, group, b);
    carry(p, to, from);
}

void sp_copy(struct sp_plan *p, enum sp_lane lane, struct sp_block to, struct sp_block from)
{
    copy(p, lane, -1, to, from);
}

static void contiguous(struct sp_plan *p, struct sp_block b)
{
    const struct sp_buf *buf = &p->buf[b.buf];
    if (b.heads != buf->heads || (b.planes > 1 && b.rows != buf->rows))
        wrong(p, "a message of '%s' is not contiguous: %d of %d heads, %d of %d rows; stage it "
              "with a copy", buf->name, b.heads, buf->heads, b.rows, buf->rows);
}

void sp_move(struct sp_plan *p, enum sp_lane lane, struct sp_block to, struct sp_block from)
{
    int src = p->buf[from.buf].rank, dst = p->buf[to.buf].rank;
    if (src == dst) {
        copy(p, lane, p->group, to, from);
        return;
    }
    pair(p, "move", to, from);
    contiguous(p, to);
    contiguous(p, from);
    if (p->buf[to.buf].dtype != p->buf[from.buf].dtype)
        wrong(p, "a message from '%s' to '%s' would change its dtype", p->buf[from.buf].name,
              p->buf[to.buf].name);
    int send = p->nsteps, recv = send + 1;
    push(p, SP_SEND, lane, p->group, &from)->twin = recv;
    push(p, SP_RECV, lane, p->group, &to)->twin = send;
    carry(p, to, from);
}
