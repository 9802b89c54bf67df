/* faults.c - the faults, and what the proof calls them. */
/* SPDX-License-Identifier: MIT */
#include "faults.h"

#include <limits.h>
#include <string.h>

#include "replay.h"

static struct sp_block block_of(const struct sp_plan *p, int step, int i)
{
    return sp_step_blocks(p, step)[i];
}

static struct sp_plan *redirect(const struct sp_plan *p, int step, int block, struct sp_block to)
{
    if (sp_block_same(to, block_of(p, step, block)))
        return NULL;
    return replay(p, (struct edit){ .kind = EDIT_REDIRECT, .step = step, .block = block, .to = to });
}

static struct sp_plan *as_it_is(const struct sp_plan *p)
{
    return replay(p, (struct edit){ .kind = EDIT_NONE });
}

/* ---- buffers that could be mistaken for others ----------------------------------------- */

static bool same_shape(const struct sp_buf *a, const struct sp_buf *b)
{
    return a->rows == b->rows && a->heads == b->heads && a->planes == b->planes
           && a->dtype == b->dtype && !memcmp(a->kind, b->kind, sizeof a->kind);
}

/* The next buffer like this one on a rank that is (or is not) its own; -1: none. */
static int like(const struct sp_plan *p, int buf, int rank)
{
    for (int d = 1; d < p->nbufs; d++) {
        int i = (buf + d) % p->nbufs;
        if (p->buf[i].rank == rank && same_shape(&p->buf[i], &p->buf[buf]))
            return i;
    }
    return -1;
}

/* The buffer that on `rank` is what `buf` is on its own. */
static int counterpart(const struct sp_plan *p, int buf, int rank)
{
    int which = 0;
    for (int i = 0; i < buf; i++)
        which += p->buf[i].rank == p->buf[buf].rank && !strcmp(p->buf[i].name, p->buf[buf].name);
    for (int i = 0; i < p->nbufs; i++)
        if (p->buf[i].rank == rank && !strcmp(p->buf[i].name, p->buf[buf].name)
            && same_shape(&p->buf[i], &p->buf[buf]) && which-- == 0)
            return i;
    return -1;
}

/* ---- the faults ------------------------------------------------------------------------ */

static struct sp_plan *left_out(const struct sp_plan *p, int step)
{
    return replay(p, (struct edit){ .kind = EDIT_DROP, .step = step });
}

static struct sp_plan *wrong_source_rank(const struct sp_plan *p, int step)
{
    int to = sp_step_peer(p, step), other = (p->step[step].rank + 1) % p->pb.ranks;
    other = other == to ? (other + 1) % p->pb.ranks : other;
    struct sp_block b = block_of(p, step, 0);
    b.buf = counterpart(p, b.buf, other);
    if (other == p->step[step].rank || b.buf < 0)
        return NULL;
    return redirect(p, step, 0, b);
}

/* Keys, or what gradients are of, are read from another buffer of the rank. */
static struct sp_plan *swapped_buffer(const struct sp_plan *p, int step)
{
    struct sp_block b = block_of(p, step, p->step[step].op == SP_GRAD ? 4 : 3);
    b.buf = like(p, b.buf, p->step[step].rank);
    if (b.buf < 0)
        return NULL;
    return redirect(p, step, p->step[step].op == SP_GRAD ? 4 : 3, b);
}

static struct sp_plan *swapped_sum(const struct sp_plan *p, int step)
{
    struct sp_block b = block_of(p, step, 0);
    b.buf = like(p, b.buf, p->step[step].rank);
    return b.buf < 0 ? NULL : redirect(p, step, 0, b);
}

static struct sp_plan *values_for_keys(const struct sp_plan *p, int step)
{
    int k = p->step[step].op == SP_GRAD ? 4 : 3;
    return redirect(p, step, k, block_of(p, step, k + 1));
}

static struct sp_plan *values_sent_for_keys(const struct sp_plan *p, int step)
{
    struct sp_block b = block_of(p, step, 0);
    for (int i = 0; i < p->nbufs; i++) {
        const struct sp_buf *x = &p->buf[i], *y = &p->buf[b.buf];
        if (y->kind[0] == SP_K && y->planes == 1 && x->kind[0] == SP_V && x->rank == y->rank
            && x->planes == 1 && x->rows == y->rows && x->heads == y->heads) {
            b.buf = i;
            return redirect(p, step, 0, b);
        }
    }
    return NULL;
}

/* Two buffers that take turns made one: the next keys come while these are read. */
static struct sp_plan *one_buffer(const struct sp_plan *p, int step)
{
    int buf = block_of(p, step, 0).buf, other = like(p, buf, p->step[step].rank);
    if (other < 0 || strcmp(p->buf[buf].name, p->buf[other].name))
        return NULL;
    return replay(p, (struct edit){ .kind = EDIT_ONE_BUFFER, .buf = buf, .to = { .buf = other } });
}

/* A message, or a copy, no longer waits for those who read what it overwrites. */
static struct sp_plan *reused_too_early(const struct sp_plan *p, int step)
{
    struct sp_plan *q = as_it_is(p);
    for (int j = 0; j < q->step[step].needs; j++) {
        int *on = &q->need[q->step[step].need + j];
        enum sp_op op = (enum sp_op)q->step[*on].op;
        if (op == SP_ATTN || op == SP_GRAD || op == SP_SEND || op == SP_MERGE || op == SP_ADD) {
            *on = q->need[q->step[step].need + --q->step[step].needs];
            return q;
        }
    }
    sp_plan_free(q);
    return NULL;
}

static int shifted(struct sp_plan *p, int list)
{
    struct sp_run run[64];
    struct sp_where w = sp_places_at(&p->places, list);
    for (int i = 0; i < w.nruns; i++) {
        run[i] = w.run[i];
        run[i].start++;
    }
    return sp_places_add(&p->places, run, w.nruns);
}

static struct sp_plan *queries_off_by_one(const struct sp_plan *p, int step)
{
    struct sp_plan *q = as_it_is(p);
    q->step[step].qpos = shifted(q, q->step[step].qpos);
    return q;
}

static struct sp_plan *keys_off_by_one(const struct sp_plan *p, int step)
{
    struct sp_plan *q = as_it_is(p);
    q->step[step].kpos = shifted(q, q->step[step].kpos);
    return q;
}

/* One row further on: what is multiplied is not what the mask is for. */
static struct sp_plan *rows_off_by_one(const struct sp_plan *p, int step)
{
    struct sp_block b = block_of(p, step, 1);
    const struct sp_buf *buf = &p->buf[b.buf];
    b.row += b.row + b.rows < buf->rows ? 1 : b.row > 0 ? -1 : 0;
    return redirect(p, step, 1, b);
}

/* The last hop of a pass: what should arrive at home does not. */
static struct sp_plan *missing_last_hop(const struct sp_plan *p, int step)
{
    for (int i = step + 1; i < p->nsteps; i++)
        if (p->step[i].op == SP_SEND && p->step[i].rank == p->step[step].rank
            && sp_step_pass(p, i) == sp_step_pass(p, step))
            return NULL;
    return left_out(p, step);
}

static struct sp_plan *replicas_not_summed(const struct sp_plan *p, int step)
{
    if (strcmp(p->buf[block_of(p, step, 1).buf].name, "returned"))
        return NULL;
    return left_out(p, step);
}

static struct sp_plan *part_of_lse(const struct sp_plan *p, int step)
{
    struct sp_block b = block_of(p, step, 7);
    b.buf = like(p, b.buf, p->step[step].rank);
    return b.buf < 0 ? NULL : redirect(p, step, 7, b);
}

/* The rank's last merge comes after its first delta. */
static struct sp_plan *before_lse_is_complete(const struct sp_plan *p, int step)
{
    int merge = -1;
    for (int i = 0; i < step; i++) {
        if (p->step[i].rank == p->step[step].rank && p->step[i].op == SP_DELTA)
            return NULL;
        if (p->step[i].rank == p->step[step].rank && p->step[i].op == SP_MERGE)
            merge = i;
    }
    if (merge < 0)
        return NULL;
    return replay(p, (struct edit){ .kind = EDIT_LATE, .step = merge, .with = step });
}

static struct sp_plan *other_heads(const struct sp_plan *p, int step, int block)
{
    struct sp_block b = block_of(p, step, block);
    int all = p->buf[b.buf].heads;
    if (all == b.heads)
        return NULL;
    b.head = (short)(b.head + 2 * b.heads <= all ? b.head + b.heads : b.head - b.heads);
    return redirect(p, step, block, b);
}

static struct sp_plan *lse_of_other_heads(const struct sp_plan *p, int step)
{
    return other_heads(p, step, 7);
}

static struct sp_plan *delta_of_part(const struct sp_plan *p, int step)
{
    struct sp_block b = block_of(p, step, 1);
    for (int i = 0; i < p->nbufs; i++)
        if (i != b.buf && p->buf[i].rank == p->step[step].rank && p->buf[i].kind[0] == SP_O
            && p->buf[i].rows == p->buf[b.buf].rows && p->buf[i].heads == p->buf[b.buf].heads) {
            b.buf = i;
            return redirect(p, step, 1, b);
        }
    return NULL;
}

/* Behind the builder's back, so that the proof is on its own. */
static struct sp_plan *edited(const struct sp_plan *p, int step, int block, struct sp_block to)
{
    struct sp_plan *q = as_it_is(p);
    q->block[q->step[step].block + block] = to;
    return q;
}

static struct sp_plan *other_values(const struct sp_plan *p, int step)
{
    int v = p->step[step].op == SP_GRAD ? 5 : 4;
    struct sp_block b = block_of(p, step, v);
    b.buf = like(p, b.buf, p->step[step].rank);
    return b.buf < 0 ? NULL : edited(p, step, v, b);
}

static struct sp_plan *do_of_other_heads(const struct sp_plan *p, int step)
{
    struct sp_block b = block_of(p, step, 6);
    if (2 * b.heads > p->buf[b.buf].heads)
        return NULL;
    b.head = (short)(b.head ? 0 : b.heads);
    return edited(p, step, 6, b);
}

static struct sp_plan *end_in_other_lane(const struct sp_plan *p, int step)
{
    struct sp_plan *q = as_it_is(p);
    q->step[step].lane = q->step[step].lane == SP_COMM ? SP_COMM2 : SP_COMM;
    return q;
}

static struct sp_plan *queries_of_other_heads(const struct sp_plan *p, int step)
{
    return other_heads(p, step, p->step[step].op == SP_GRAD ? 3 : 2);
}

static struct sp_plan *twin_redirected(const struct sp_plan *p, int step)
{
    for (int i = step + 2; i < p->nsteps; i++)
        if (p->step[i].op == SP_SEND) {
            struct sp_plan *q = as_it_is(p);
            q->step[step].twin = p->step[i].twin;
            return q;
        }
    return NULL;
}

static struct sp_plan *torn_group(const struct sp_plan *p, int step)
{
    for (int i = step + 1; i < p->nsteps; i++)
        if (p->step[i].rank == p->step[step].rank && p->step[i].lane == p->step[step].lane
            && p->step[i].group == p->step[step].group) {
            struct sp_plan *q = as_it_is(p);
            q->step[step].group += 100000;
            q->step[q->step[step].twin].group += 100000;
            return q;
        }
    return NULL;
}

static struct sp_plan *input_overwritten(const struct sp_plan *p, int step)
{
    struct sp_block b = block_of(p, step, 0);
    for (int i = 0; i < p->nbufs; i++)
        if (p->buf[i].role == SP_INPUT && p->buf[i].rank == p->step[step].rank && b.planes == 1
            && p->buf[i].kind[0] == p->buf[b.buf].kind[b.plane] && p->buf[i].heads == b.heads
            && b.row + b.rows <= p->buf[i].rows) {
            struct sp_plan *q = as_it_is(p);
            b.buf = i;
            b.plane = 0;
            b.head = 0;
            q->block[q->step[step].block] = b;
            return q;
        }
    return NULL;
}

static struct sp_plan *gradient_in_forward(const struct sp_plan *p, int step)
{
    struct sp_plan *q = as_it_is(p);
    q->backward_at = step + 1 < q->nsteps ? step + 1 : INT_MAX;
    return q;
}

enum { ANY = FAULT_ANY, FWD = SP_FORWARD, BWD = SP_BACKWARD };

#define PLACES "hold other places|not where the layout says|other places"
#define UNWRITTEN "never written|not all there|what was not computed"
#define SUMS "miss|twice"

const struct fault faults[] = {
    { "a wrong source rank", SP_SEND, FWD, wrong_source_rank,
      PLACES "|" UNWRITTEN "|" SUMS "|own group|do not belong", "ring ulysses hybrid allgather" },
    { "a wrong source rank", SP_SEND, BWD, wrong_source_rank,
      PLACES "|" UNWRITTEN "|" SUMS "|own group|do not belong", "ring ulysses hybrid allgather" },
    { "a missing merge", SP_MERGE, ANY, left_out, "miss", "ring hybrid" },
    { "a missing add", SP_ADD, ANY, left_out, "miss", "ring hybrid allgather" },
    { "a dropped attention", SP_ATTN, ANY, left_out, SUMS "|" UNWRITTEN,
      "local ring ulysses hybrid allgather" },
    { "a dropped gradient", SP_GRAD, ANY, left_out, SUMS "|" UNWRITTEN "|" PLACES,
      "local ring ulysses hybrid allgather" },
    { "a dropped delta", SP_DELTA, ANY, left_out, UNWRITTEN, "local ring ulysses hybrid allgather" },
    { "a dropped copy", SP_COPY, ANY, left_out, SUMS "|" UNWRITTEN "|" PLACES,
      "ring ulysses hybrid allgather" },
    { "a dropped message", SP_SEND, FWD, left_out, SUMS "|" UNWRITTEN "|" PLACES,
      "ring ulysses hybrid allgather" },
    { "a dropped message", SP_SEND, BWD, left_out, SUMS "|" UNWRITTEN "|" PLACES,
      "ring ulysses hybrid allgather" },
    { "a missing last hop", SP_SEND, BWD, missing_last_hop, SUMS "|" UNWRITTEN "|" PLACES,
      "ring ulysses hybrid allgather" },
    { "a swapped buffer", SP_ATTN, ANY, swapped_buffer, SUMS "|" UNWRITTEN "|" PLACES,
      "ring ulysses hybrid allgather" },
    { "a swapped buffer", SP_GRAD, ANY, swapped_buffer, SUMS "|" UNWRITTEN "|" PLACES,
      "ring ulysses hybrid allgather" },
    { "a swapped sum", SP_MERGE, ANY, swapped_sum, SUMS "|" UNWRITTEN "|lse does not belong",
      "ring hybrid" },
    { "a swapped sum", SP_ADD, ANY, swapped_sum, SUMS "|" UNWRITTEN "|" PLACES, "ring hybrid" },
    { "V in the place of K", SP_ATTN, ANY, values_for_keys, "where k belongs",
      "local ring ulysses hybrid allgather" },
    { "V in the place of K", SP_GRAD, ANY, values_for_keys, "where k belongs",
      "local ring ulysses hybrid allgather" },
    { "V sent for K", SP_SEND, ANY, values_sent_for_keys, "which is for k",
      "ulysses hybrid allgather" },
    { "one buffer for two", SP_RECV, FWD, one_buffer,
      SUMS "|" PLACES "|own group|never written", "ring hybrid allgather" },
    { "one buffer for two", SP_RECV, BWD, one_buffer,
      SUMS "|" PLACES "|own group|never written", "ring hybrid allgather" },
    { "a buffer reused too early", SP_RECV, ANY, reused_too_early, "race", "ring hybrid allgather" },
    { "a buffer reused too early", SP_SEND, ANY, reused_too_early, "race", "ring ulysses hybrid" },
    { "a mask off by one", SP_ATTN, ANY, queries_off_by_one, "mask is of other places",
      "local ring ulysses hybrid allgather" },
    { "a mask off by one", SP_ATTN, ANY, keys_off_by_one, "mask is of other places",
      "local ring ulysses hybrid allgather" },
    { "a mask off by one", SP_GRAD, ANY, queries_off_by_one, "mask is of other places",
      "local ring ulysses hybrid allgather" },
    { "a mask off by one", SP_GRAD, ANY, keys_off_by_one, "mask is of other places",
      "local ring ulysses hybrid allgather" },
    { "rows off by one", SP_COPY, ANY, rows_off_by_one, PLACES "|" UNWRITTEN "|mixes|pieces",
      "ulysses hybrid" },
    { "replicas not summed", SP_ADD, BWD, replicas_not_summed, "miss queries", "ulysses hybrid" },
    { "an lse of a part", SP_GRAD, ANY, part_of_lse, "miss keys|other places or heads|" UNWRITTEN,
      "ring hybrid" },
    { "a delta before the last merge", SP_DELTA, ANY, before_lse_is_complete, "miss keys",
      "ring hybrid" },
    { "an lse of other heads", SP_GRAD, ANY, lse_of_other_heads, "other places or heads",
      "allgather" },
    { "queries of other heads", SP_ATTN, ANY, queries_of_other_heads, "do not belong to KV heads",
      "allgather" },
    { "queries of other heads", SP_GRAD, ANY, queries_of_other_heads, "heads", "allgather" },
    { "a delta of a part", SP_DELTA, ANY, delta_of_part, "miss keys|" PLACES "|" UNWRITTEN, "ring hybrid" },
    { "values of other keys", SP_ATTN, ANY, other_values, PLACES "|" UNWRITTEN "|mixes places|race", "ring" },
    { "values of other keys", SP_GRAD, ANY, other_values, PLACES "|" UNWRITTEN "|mixes places|race", "ring" },
    { "do of other heads", SP_GRAD, ANY, do_of_other_heads, "other places or heads",
      "allgather" },
    { "ends in two lanes", SP_RECV, ANY, end_in_other_lane, "other lanes or groups",
      "ring ulysses hybrid allgather" },
    { "a redirected end", SP_SEND, ANY, twin_redirected, "other end is missing",
      "ring ulysses hybrid allgather" },
    { "a torn group", SP_SEND, ANY, torn_group, "torn|own group", "ring ulysses hybrid allgather" },
    { "an input overwritten", SP_RECV, ANY, input_overwritten, "overwrites the input", "" },
    { "an input overwritten", SP_COPY, ANY, input_overwritten, "overwrites the input", "" },
    { "a gradient in forward", SP_GRAD, ANY, gradient_in_forward, "backward",
      "local ring ulysses hybrid allgather" },
    { "a gradient in forward", SP_DELTA, ANY, gradient_in_forward, "backward",
      "local ring ulysses hybrid allgather" },
    { NULL, 0, 0, NULL, NULL, NULL }
};
