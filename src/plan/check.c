/* check.c - the proof that a plan computes attention, whatever legal order it runs in:
 * it is well formed, it ends, it has no races, so every legal order gives what plan order
 * gives; and in plan order all sums come out right. */
/* SPDX-License-Identifier: MIT */
#include "plan/check.h"

const char *sp_step_name(const struct sp_plan *p, int step)
{
    static char name[4][64];
    static int turn;
    char *text = name[turn++ % 4];
    const struct sp_step *s = &p->step[step];
    snprintf(text, sizeof *name, "step %d (%s of rank %d)", step, sp_ops[s->op].name, s->rank);
    return text;
}

static bool inside(const struct sp_plan *p, struct sp_block b, int rank)
{
    if (b.buf < 0 || b.buf >= p->nbufs)
        return false;
    const struct sp_buf *buf = &p->buf[b.buf];
    return buf->rank == rank && b.row >= 0 && b.rows > 0 && b.row + b.rows <= buf->rows
           && b.head >= 0 && b.heads > 0 && b.head + b.heads <= buf->heads
           && b.plane >= 0 && b.planes > 0 && b.plane + b.planes <= buf->planes;
}

static bool same_kinds(const struct sp_plan *p, struct sp_block a, struct sp_block b)
{
    if (a.rows != b.rows || a.heads != b.heads || a.planes != b.planes)
        return false;
    for (int i = 0; i < a.planes; i++)
        if (p->buf[a.buf].kind[a.plane + i] != p->buf[b.buf].kind[b.plane + i])
            return false;
    return true;
}

static bool of_backward(enum sp_kind k) { return k >= SP_DO; }

/* A block that the step writes and another that it uses share some of their cells: what it
 * would do hangs on the order in which a kernel goes through them. */
static bool torn(const struct sp_opinfo *op, const struct sp_block *b, int written)
{
    for (int i = 0; i < op->nblocks; i++)
        if (b[i].buf == b[written].buf && !sp_block_same(b[i], b[written])
            && sp_block_overlaps(b[i], b[written]))
            return true;
    return false;
}

static const char *blocks_fault(const struct sp_plan *p, int step)
{
    static char why[200];
    const struct sp_step *s = &p->step[step];
    const struct sp_opinfo *op = &sp_ops[s->op];
    const struct sp_block *b = sp_step_blocks(p, step);
    for (int i = 0; i < op->nblocks; i++) {
        if (!inside(p, b[i], s->rank)) {
            snprintf(why, sizeof why, "%s: block %d is not within a buffer of its rank",
                     sp_step_name(p, step), i);
            return why;
        }
        const struct sp_buf *buf = &p->buf[b[i].buf];
        if (op->kind[i] >= 0 && (b[i].planes != 1 || (int)buf->kind[b[i].plane] != op->kind[i])) {
            snprintf(why, sizeof why, "%s: '%s' is used where %s belongs", sp_step_name(p, step),
                     buf->name, sp_kind_names[(int)op->kind[i]]);
            return why;
        }
        if (of_backward(buf->kind[b[i].plane]) && sp_step_pass(p, step) == SP_FORWARD) {
            snprintf(why, sizeof why, "%s: '%s' belongs to the backward pass, which has not begun",
                     sp_step_name(p, step), buf->name);
            return why;
        }
        if ((op->writes >> i & 1) && torn(op, b, i)) {
            snprintf(why, sizeof why, "%s: two of its blocks overlap in '%s'",
                     sp_step_name(p, step), buf->name);
            return why;
        }
        if ((op->writes >> i & 1) && buf->role == SP_INPUT) {
            snprintf(why, sizeof why, "%s: overwrites the input '%s'", sp_step_name(p, step),
                     buf->name);
            return why;
        }
    }
    if ((s->op == SP_ADD || s->op == SP_COPY) && !same_kinds(p, b[0], b[1])) {
        snprintf(why, sizeof why, "%s: '%s' and '%s' are not alike", sp_step_name(p, step),
                 p->buf[b[0].buf].name, p->buf[b[1].buf].name);
        return why;
    }
    return NULL;
}

static const char *twin_fault(const struct sp_plan *p, int step)
{
    static char why[200];
    const struct sp_step *s = &p->step[step];
    if (s->op != SP_SEND && s->op != SP_RECV)
        return NULL;
    bool send = s->op == SP_SEND;
    int at = send ? step + 1 : step - 1;
    const struct sp_step *t = at >= 0 && at < p->nsteps ? &p->step[at] : NULL;
    if (s->twin != at || !t || t->twin != step || t->op != (send ? SP_RECV : SP_SEND)
        || t->rank == s->rank) {
        snprintf(why, sizeof why, "%s: its other end is missing", sp_step_name(p, step));
        return why;
    }
    struct sp_block a = sp_step_blocks(p, step)[0], b = sp_step_blocks(p, at)[0];
    if (send && (!inside(p, b, t->rank) || !same_kinds(p, a, b)
                 || p->buf[a.buf].dtype != p->buf[b.buf].dtype)) {
        snprintf(why, sizeof why, "%s: '%s' does not fit '%s' of rank %d", sp_step_name(p, step),
                 p->buf[a.buf].name, p->buf[b.buf].name, t->rank);
        return why;
    }
    if (t->lane != s->lane || t->group != s->group || s->group < 0) {
        snprintf(why, sizeof why, "%s: its ends are in other lanes or groups",
                 sp_step_name(p, step));
        return why;
    }
    return NULL;
}

const char *sp_check_shape(const struct sp_plan *p)
{
    for (int i = 0; i < p->nsteps; i++) {
        const char *why = blocks_fault(p, i);
        if (why || (why = twin_fault(p, i)))
            return why;
    }
    return NULL;
}

const char *sp_check(const struct sp_plan *p)
{
    const char *why = p->why[0] ? p->why : NULL;
    if (!why)
        why = sp_check_shape(p);
    if (!why)
        why = sp_check_order(p);
    if (!why)
        why = sp_check_races(p);
    if (!why)
        why = sp_check_sums(p);
    return why;
}
