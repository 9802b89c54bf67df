/* check_sums.c - the proof without arithmetic: the plan is replayed, and each part of an
 * output remembers what was summed into it.
 *
 *     o, lse, dq of some queries     the keys that they met
 *     dk, dv of some keys            the queries, and query heads, that contributed
 *
 * Right means: all that the mask allows, each exactly once. */
/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "plan/check.h"
#include "plan/cover.h"
#include "util/memory.h"

/* What was summed: list of places (queries: of heads [low, high) of a KV head's group), or
 * two such values. Value 0 is an input. */
struct value { int left, right, list, proven; short low, high; };

struct sums {
    const struct sp_plan *p;
    struct sp_places places;            /* a copy that may grow */
    struct sp_region *region;
    struct value *value; int nvalues;
    struct sp_cover cover;
    char why[240];
};

static void wrong(struct sums *c, const char *text, ...)
{
    if (c->why[0])
        return;
    va_list ap;
    va_start(ap, text);
    vsnprintf(c->why, sizeof c->why, text, ap);
    va_end(ap);
}

static int value_new(struct sums *c, struct value v)
{
    c->value = sp_grow(c->value, c->nvalues, sizeof *c->value);
    c->value[c->nvalues] = v;
    return c->nvalues++;
}

/* ---- is a value complete? ------------------------------------------------------------- */

/* The lists of value v that count for member `head` of a group of query heads. */
static void flatten(const struct sums *c, int v, int head, int **list, int *n)
{
    while (v > 0 && c->value[v].left > 0) {
        flatten(c, c->value[v].right, head, list, n);
        v = c->value[v].left;
    }
    if (v > 0 && head >= c->value[v].low && head < c->value[v].high) {
        *list = sp_grow(*list, *n, sizeof **list);
        (*list)[(*n)++] = c->value[v].list;
    }
}

static bool keys_side(enum sp_kind k) { return k == SP_DK || k == SP_DV; }

/* The model's heads of a part, for a message. */
static int name_head(const struct sums *c, enum sp_kind kind, struct sp_content is, int member)
{
    int group = c->p->pb.heads / c->p->pb.kv_heads;
    return keys_side(kind) ? is.head * group + member : is.head;
}

/* Places [low, high) that the sum of these rows must name: the keys that the last of the
 * queries sees, or the queries that see the first of the keys. */
static bool complete(struct sums *c, enum sp_kind kind, struct sp_content is, int rows,
                     const char *who)
{
    const struct sp_problem *pb = &c->p->pb;
    int here = sp_places_cut(&c->places, is.list, is.skip, rows);
    const struct sp_list *at = &c->places.list[here];
    if (is.value > 0 && c->value[is.value].proven == here + 1)
        return true;                    /* as when every grad asks the same lse */
    long low = pb->causal && keys_side(kind) ? at->low : 0;
    long high = pb->causal && !keys_side(kind) ? at->high + 1 : pb->seq;
    int members = keys_side(kind) ? pb->heads / pb->kv_heads : 1;
    for (int m = 0; m < members; m++) {
        int *list = NULL, n = 0;
        struct sp_cover_fault f;
        flatten(c, is.value, m, &list, &n);
        bool good = sp_cover_exact(&c->cover, list, n, low, high, &f);
        free(list);
        if (good)
            continue;
        const char *have = keys_side(kind) ? "keys" : "queries", *met = keys_side(kind)
            ? "queries" : "keys";
        wrong(c, "%s: %s at %ld.. %s %s %ld..%ld%s (%s, head %d)", who, have, at->low,
              f.times ? "count" : "miss", met, f.first, f.last, f.times ? " twice" : "",
              sp_kind_names[kind], name_head(c, kind, is, m));
        return false;
    }
    if (is.value > 0)
        c->value[is.value].proven = here + 1;
    return true;
}

/* ---- replay -------------------------------------------------------------------------- */

/* The one content of a block whose parts follow each other; value -1 if values differ. */
static struct sp_content whole(struct sums *c, struct sp_block b, int step)
{
    struct sp_content is = { .list = -1, .value = -1 };
    struct sp_run *run = NULL;
    struct sp_box *x;
    int nruns = 0;
    long area = 0;
    for (int row = b.row; row < b.row + b.rows;) {      /* row by row of boxes */
        int next = row, at = -1;
        struct sp_block line = b;
        line.row = row;
        line.rows = 1;
        for (int i = 0; (x = sp_region_next(&c->region[b.buf], line, &i));) {
            int end = x->b.row + x->b.rows;
            next = next == row || end < next ? end : next;
        }
        next = next < b.row + b.rows ? next : b.row + b.rows;
        line.rows = next > row ? next - row : 1;
        for (int i = 0; (x = sp_region_next(&c->region[b.buf], line, &i));) {
            struct sp_block part = sp_block_common(x->b, line);
            struct sp_content in = sp_box_part(x, part);
            int places = sp_places_cut(&c->places, in.list, in.skip, part.rows);
            int head = in.head - (part.head - b.head);
            if ((at >= 0 && at != places) || part.rows != line.rows || (area && head != is.head))
                wrong(c, "%s: '%s' mixes places or heads", sp_step_name(c->p, step),
                      c->p->buf[b.buf].name);
            is.value = area && is.value != in.value ? -1 : in.value;
            is.head = head;
            at = places;
            area += sp_block_area(part);
        }
        struct sp_where w = at >= 0 ? sp_places_at(&c->places, at) : (struct sp_where){ NULL, 0 };
        for (int j = 0; j < w.nruns; j++) {
            run = sp_grow(run, nruns, sizeof *run);
            run[nruns++] = w.run[j];
        }
        row += line.rows;
    }
    if (area != sp_block_area(b))
        wrong(c, "%s: reads a part of '%s' that was never written", sp_step_name(c->p, step),
              c->p->buf[b.buf].name);
    is.list = sp_places_add(&c->places, run, nruns);
    free(run);
    return is;
}

static struct sp_content content(struct sums *c, struct sp_block b, int step)
{
    int i = 0;
    struct sp_box *x = sp_region_next(&c->region[b.buf], b, &i);
    if (!x || sp_block_area(sp_block_common(x->b, b)) != sp_block_area(b))
        return whole(c, b, step);
    struct sp_content is = sp_box_part(x, b);
    is.list = sp_places_cut(&c->places, is.list, is.skip, b.rows);
    is.skip = 0;
    return is;
}

static void now(struct sums *c, struct sp_block b, struct sp_content is, int value, int step)
{
    is.skip = 0;
    is.value = value;
    sp_region_write(&c->region[b.buf], b, is, step);
}

static bool same_place(struct sums *c, struct sp_content a, struct sp_content b, int step)
{
    if (a.list == b.list && a.head == b.head)
        return true;
    wrong(c, "%s: its blocks hold other places or heads", sp_step_name(c->p, step));
    return false;
}

/* Every part of b must be a complete sum. */
static void must_be_complete(struct sums *c, struct sp_block b, int step)
{
    struct sp_box *x;
    enum sp_kind kind = c->p->buf[b.buf].kind[b.plane];
    for (int i = 0; !c->why[0] && (x = sp_region_next(&c->region[b.buf], b, &i));) {
        struct sp_block part = sp_block_common(x->b, b);
        complete(c, kind, sp_box_part(x, part), part.rows, sp_step_name(c->p, step));
    }
}

static struct sp_content queries_and_keys(struct sums *c, int step, struct sp_block q,
                                          struct sp_block k, struct sp_block v,
                                          struct sp_content *keys)
{
    const struct sp_step *s = &c->p->step[step];
    struct sp_content qis = content(c, q, step), kis = content(c, k, step);
    int group = c->p->pb.heads / c->p->pb.kv_heads;
    same_place(c, kis, content(c, v, step), step);
    if (qis.head / group != kis.head || (qis.head + q.heads - 1) / group != kis.head + k.heads - 1
        || (k.heads > 1 && (qis.head % group || q.heads % group)))
        wrong(c, "%s: query heads %d.. meet KV heads %d..", sp_step_name(c->p, step), qis.head,
              kis.head);
    if (s->qpos != qis.list || s->kpos != kis.list)
        wrong(c, "%s: its mask is of other places than its queries and keys have",
              sp_step_name(c->p, step));
    *keys = kis;
    return qis;
}

static void attn(struct sums *c, int step, const struct sp_block *b)
{
    struct sp_content k, q = queries_and_keys(c, step, b[2], b[3], b[4], &k);
    int v = value_new(c, (struct value){ .list = k.list, .low = 0, .high = 1 });
    now(c, b[0], q, v, step);
    now(c, b[1], q, v, step);
}

static void grad(struct sums *c, int step, const struct sp_block *b)
{
    struct sp_content k, q = queries_and_keys(c, step, b[3], b[4], b[5], &k);
    int group = c->p->pb.heads / c->p->pb.kv_heads;
    for (int i = 6; i < 9; i++)
        same_place(c, q, content(c, b[i], step), step);
    must_be_complete(c, b[7], step);
    must_be_complete(c, b[8], step);
    int keys = value_new(c, (struct value){ .list = k.list, .low = 0, .high = 1 });
    int queries = value_new(c, (struct value){ .list = q.list,
        .low = (short)(q.head % group),
        .high = (short)(b[3].heads >= group ? group : q.head % group + b[3].heads) });
    now(c, b[0], q, keys, step);
    now(c, b[1], k, queries, step);
    now(c, b[2], k, queries, step);
}

static void delta(struct sums *c, int step, const struct sp_block *b)
{
    struct sp_content o = content(c, b[1], step);
    same_place(c, o, content(c, b[2], step), step);
    must_be_complete(c, b[1], step);
    if (!sp_region_carry(&c->region[b[0].buf], b[0], &c->region[b[1].buf], b[1], step))
        wrong(c, "%s: reads what was never written", sp_step_name(c->p, step));
}

/* Halve n blocks of one shape, along planes, heads or rows, whichever there is. */
static void halve(const struct sp_block *b, int n, struct sp_block *low, struct sp_block *high)
{
    for (int i = 0; i < n; i++) {
        int planes = b[i].planes / 2, heads = b[i].heads / 2, rows = b[i].rows / 2;
        if (planes) {
            low[i] = sp_planes(b[i], 0, planes);
            high[i] = sp_planes(b[i], planes, b[i].planes - planes);
        } else if (heads) {
            low[i] = sp_heads(b[i], 0, heads);
            high[i] = sp_heads(b[i], heads, b[i].heads - heads);
        } else {
            low[i] = sp_rows(b[i], 0, rows);
            high[i] = sp_rows(b[i], rows, b[i].rows - rows);
        }
    }
}

/* b[0] += b[1], or (o, lse) = b[0], b[1] joined with b[2], b[3]; in halves where a block's
 * parts are different sums. */
static void sum(struct sums *c, int step, const struct sp_block *b, int n)
{
    struct sp_content is[4];
    bool parts = false;
    for (int i = 0; i < n; i++) {
        is[i] = content(c, b[i], step);
        parts |= is[i].value < 0;
        if (!same_place(c, is[0], is[i], step))
            return;
    }
    if (c->why[0])
        return;
    if (parts) {
        struct sp_block low[4], high[4];
        halve(b, n, low, high);
        sum(c, step, low, n);
        sum(c, step, high, n);
        return;
    }
    int left = is[0].value, right = is[n / 2].value;
    if (left == 0 || right == 0)
        wrong(c, "%s: sums what was not computed", sp_step_name(c->p, step));
    if (n == 4 && (is[1].value != left || is[3].value != right))
        wrong(c, "%s: an lse does not belong to its o", sp_step_name(c->p, step));
    int v = value_new(c, (struct value){ .left = left, .right = right });
    for (int i = 0; i < n / 2; i++)
        now(c, b[i], is[0], v, step);
}

static void carry(struct sums *c, int step, struct sp_block to, struct sp_block from)
{
    if (!sp_region_carry(&c->region[to.buf], to, &c->region[from.buf], from, step))
        wrong(c, "%s: reads a part of '%s' that was never written", sp_step_name(c->p, step),
              c->p->buf[from.buf].name);
}

static void replay(struct sums *c, int step)
{
    const struct sp_step *s = &c->p->step[step];
    const struct sp_block *b = sp_step_blocks(c->p, step);
    enum sp_kind kind = c->p->buf[b[0].buf].kind[b[0].plane];
    switch ((enum sp_op)s->op) {
    case SP_ATTN:  attn(c, step, b); break;
    case SP_GRAD:  grad(c, step, b); break;
    case SP_DELTA: delta(c, step, b); break;
    case SP_MERGE: sum(c, step, b, 4); break;
    case SP_ADD:
        if (kind != SP_DQ && !keys_side(kind))
            wrong(c, "%s: %s is no sum", sp_step_name(c->p, step), sp_kind_names[kind]);
        sum(c, step, b, 2);
        break;
    case SP_COPY:  carry(c, step, b[0], b[1]); break;
    case SP_SEND:  break;
    case SP_RECV:  carry(c, step, b[0], sp_step_blocks(c->p, s->twin)[0]); break;
    case SP_NOPS:  break;
    }
}

/* ---- beginning and end ------------------------------------------------------------------ */

/* The one buffer of this role and kind that rank has holds its tokens, all heads, in order;
 * if it is an output, completely. */
static void at_home(struct sums *c, int rank, enum sp_role role, enum sp_kind kind, int heads,
                    const int *buf_of)
{
    const char *what = role == SP_INPUT ? "input" : "output", *name = sp_kind_names[kind];
    int buf = buf_of[rank * SP_NKINDS + (int)kind];
    if (buf < 0) {
        wrong(c, "rank %d: has no %s '%s', or several", rank, what, name);
        return;
    }
    struct sp_block b = sp_whole(c->p, buf);
    struct sp_box *x;
    long area = 0;
    for (int i = 0; (x = sp_region_next(&c->region[buf], b, &i));) {
        int here = sp_places_cut(&c->places, x->is.list, x->is.skip, x->b.rows);
        long row = x->b.row;
        if (row + x->b.rows > sp_places_rows(&c->places, c->p->home[rank])
            || here != sp_places_cut(&c->places, c->p->home[rank], row, x->b.rows)
            || x->is.head != x->b.head)
            wrong(c, "rank %d: %s '%s' is not where the layout says", rank, what, name);
        area += sp_block_area(x->b);
    }
    if (area != sp_places_rows(&c->places, c->p->home[rank]) * heads)
        wrong(c, "rank %d: %s '%s' is not all there", rank, what, name);
    char who[32];
    snprintf(who, sizeof who, "rank %d", rank);
    for (int i = 0; role == SP_OUTPUT && !c->why[0] && (x = sp_region_next(&c->region[buf], b, &i));)
        complete(c, kind, x->is, x->b.rows, who);
}

/* For each rank and kind, the one buffer of that role; -1: none, or several. */
static int *buffers_of(const struct sp_plan *p, enum sp_role role)
{
    int n = p->pb.ranks * SP_NKINDS, *of = sp_alloc((size_t)n * sizeof *of);
    for (int i = 0; i < n; i++)
        of[i] = -1;
    for (int i = 0; i < p->nbufs; i++) {
        int *at = &of[p->buf[i].rank * SP_NKINDS + (int)p->buf[i].kind[0]];
        if (p->buf[i].role == role)
            *at = *at == -1 ? i : -2;
    }
    return of;
}

static void all_at_home(struct sums *c, enum sp_role role, const enum sp_kind *kind, int n)
{
    int *of = buffers_of(c->p, role);
    for (int r = 0; r < c->p->pb.ranks && !c->why[0]; r++)
        for (int i = 0; i < n; i++) {
            bool keys = kind[i] == SP_K || kind[i] == SP_V || keys_side(kind[i]);
            at_home(c, r, role, kind[i], keys ? c->p->pb.kv_heads : c->p->pb.heads, of);
        }
    free(of);
}

static void homes(struct sums *c)
{
    struct sp_cover_fault f;
    for (int r = 0; r < c->p->pb.ranks; r++)
        if (c->p->home[r] < 0) {
            wrong(c, "rank %d: has no home", r);
            return;
        }
    int *list = sp_alloc((size_t)c->p->pb.ranks * sizeof *list);
    memcpy(list, c->p->home, (size_t)c->p->pb.ranks * sizeof *list);
    if (!sp_cover_exact(&c->cover, list, c->p->pb.ranks, 0, c->p->pb.seq, &f))
        wrong(c, "tokens %ld..%ld are %s", f.first, f.last, f.times ? "on two ranks" : "on no rank");
    free(list);
}

static void inputs(struct sums *c)
{
    static const enum sp_kind kind[] = { SP_Q, SP_K, SP_V, SP_DO };
    for (int i = 0; i < c->p->nheld; i++) {
        const struct sp_held *h = &c->p->held[i];
        sp_region_write(&c->region[h->b.buf], h->b,
                        (struct sp_content){ h->list, 0, h->head, 0 }, -1);
    }
    all_at_home(c, SP_INPUT, kind, c->p->pb.backward ? 4 : 3);
}

/* The forward pass must leave o and every lse that is an output complete. */
static void forward_outputs(struct sums *c)
{
    static const enum sp_kind kind[] = { SP_O };
    all_at_home(c, SP_OUTPUT, kind, 1);
    for (int i = 0; i < c->p->nbufs && !c->why[0]; i++)
        if (c->p->buf[i].role == SP_OUTPUT && c->p->buf[i].kind[0] == SP_LSE) {
            if (!c->region[i].nboxes)
                wrong(c, "rank %d: output 'lse' is not all there", c->p->buf[i].rank);
            must_be_complete(c, sp_whole(c->p, i), c->p->nsteps - 1);
        }
}

static void backward_outputs(struct sums *c)
{
    static const enum sp_kind kind[] = { SP_DQ, SP_DK, SP_DV };
    all_at_home(c, SP_OUTPUT, kind, 3);
}

const char *sp_check_sums(const struct sp_plan *p)
{
    static char why[240];
    struct sums c = { .p = p, .places = sp_places_copy(&p->places) };
    c.region = sp_alloc((size_t)p->nbufs * sizeof *c.region);
    c.cover = (struct sp_cover){ .places = &c.places, .seq = p->pb.seq };
    value_new(&c, (struct value){ 0 });
    homes(&c);
    if (!c.why[0])
        inputs(&c);
    for (int i = 0; i < p->nsteps && !c.why[0]; i++) {
        if (i == p->backward_at)
            forward_outputs(&c);
        replay(&c, i);
    }
    if (!c.why[0])
        forward_outputs(&c);
    if (!c.why[0] && p->pb.backward)
        backward_outputs(&c);
    for (int i = 0; i < p->nbufs; i++)
        sp_region_free(&c.region[i]);
    sp_cover_free(&c.cover);
    sp_places_free(&c.places);
    free(c.region);
    free(c.value);
    memcpy(why, c.why, sizeof why);
    return why[0] ? why : NULL;
}
