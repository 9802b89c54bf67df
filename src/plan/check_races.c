/* check_races.c - what two steps of a rank do to one place is ordered by waiting.
 *
 * Derived anew from the steps, without trusting plan.c. For each step, a clock says how many
 * groups of each lane are known to be over before it starts; what clocks are too coarse to
 * tell (one move of a group) is looked up in the waiting itself. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "plan/check.h"
#include "util/memory.h"

struct clock { int over[SP_NLANES]; };

struct races {
    const struct sp_plan *p;
    struct clock *clock;                /* of each step, before it starts */
    int *turn;                          /* the number of a step's group on its lane */
    struct sp_region *region;
    char why[240];
};

static void join(struct clock *a, const struct clock *b)
{
    for (int i = 0; i < SP_NLANES; i++)
        a->over[i] = a->over[i] > b->over[i] ? a->over[i] : b->over[i];
}

/* What the groups of a lane so far, and the one now filling, know. */
struct lane { int last, turn; struct clock before, within; };

static void set_clock(struct races *c, struct lane *l, int step)
{
    const struct sp_plan *p = c->p;
    const struct sp_step *s = &p->step[step];
    if (l->last < 0 || s->group < 0 || p->step[l->last].group != s->group) {
        l->turn++;
        join(&l->before, &l->within);
        l->before.over[s->lane] = l->turn;
    }
    l->last = step;
    c->turn[step] = l->turn;
    struct clock *k = &c->clock[step];
    *k = l->before;
    for (int i = 0; i < s->needs; i++) {
        int on = p->need[s->need + i];
        const struct sp_step *n = &p->step[on];
        int over = c->turn[on] + (n->group < 0);        /* its own group, if it is alone */
        join(k, &c->clock[on]);
        k->over[n->lane] = k->over[n->lane] > over ? k->over[n->lane] : over;
    }
    join(&l->within, k);
}

static void set_clocks(struct races *c)
{
    int lanes = c->p->pb.ranks * SP_NLANES;
    struct lane *lane = sp_alloc((size_t)lanes * sizeof *lane);
    for (int i = 0; i < lanes; i++)
        lane[i].last = lane[i].turn = -1;
    for (int i = 0; i < c->p->nsteps; i++)
        set_clock(c, &lane[c->p->step[i].rank * SP_NLANES + c->p->step[i].lane], i);
    free(lane);
}

/* Is x over before s starts? */
static bool before(const struct races *c, int x, int s)
{
    if (x >= s)
        return false;
    if (c->clock[s].over[c->p->step[x].lane] > c->turn[x])
        return true;
    for (int i = 0; i < c->p->step[s].needs; i++) {
        int on = c->p->need[c->p->step[s].need + i];
        if (on == x || before(c, x, on))
            return true;
    }
    return false;
}

static void conflict(struct races *c, const char *what, int x, int s, struct sp_block b)
{
    if (!c->why[0])
        snprintf(c->why, sizeof c->why, "race: %s %s '%s' while %s may still %s it",
                 sp_step_name(c->p, s), what, c->p->buf[b.buf].name, sp_step_name(c->p, x),
                 what[0] == 'r' ? "be writing" : "be using");
}

static void reads(struct races *c, int s, struct sp_block b)
{
    struct sp_box *x;
    sp_region_cut(&c->region[b.buf], b);
    for (int i = 0; (x = sp_region_next(&c->region[b.buf], b, &i));) {
        if (x->writer >= 0 && !before(c, x->writer, s))
            conflict(c, "reads", x->writer, s, b);
        int n = 0;
        for (int j = 0; j < x->nreaders; j++)       /* who waits for s waits for these too */
            if (x->reader[j] != s && !before(c, x->reader[j], s))
                x->reader[n++] = x->reader[j];
        x->nreaders = n;
        sp_box_read(x, s);
    }
}

static void writes(struct races *c, int s, struct sp_block b)
{
    struct sp_box *x;
    for (int i = 0; (x = sp_region_next(&c->region[b.buf], b, &i));) {
        if (x->writer >= 0 && x->writer != s && !before(c, x->writer, s))
            conflict(c, "overwrites", x->writer, s, b);
        for (int j = 0; j < x->nreaders; j++)
            if (x->reader[j] != s && !before(c, x->reader[j], s))
                conflict(c, "overwrites", x->reader[j], s, b);
    }
    sp_region_write(&c->region[b.buf], b, (struct sp_content){ 0, 0, 0, 0 }, s);
}

const char *sp_check_races(const struct sp_plan *p)
{
    static char why[240];
    struct races c = {
        .p = p,
        .clock = sp_alloc((size_t)p->nsteps * sizeof *c.clock),
        .turn = sp_alloc((size_t)p->nsteps * sizeof *c.turn),
        .region = sp_alloc((size_t)p->nbufs * sizeof *c.region),
    };
    set_clocks(&c);
    for (int s = 0; s < p->nsteps && !c.why[0]; s++) {
        const struct sp_opinfo *op = &sp_ops[p->step[s].op];
        const struct sp_block *b = sp_step_blocks(p, s);
        for (int i = 0; i < op->nblocks; i++)
            if (op->reads >> i & 1)
                reads(&c, s, b[i]);
        for (int i = 0; i < op->nblocks; i++)
            if (op->writes >> i & 1)
                writes(&c, s, b[i]);
    }
    for (int i = 0; i < p->nbufs; i++)
        sp_region_free(&c.region[i]);
    free(c.region);
    free(c.clock);
    free(c.turn);
    memcpy(why, c.why, sizeof why);
    return why[0] ? why : NULL;
}
