/* goal.c - a plan as a GOAL schedule, for a second opinion by LogGOPSim (Hoefler, Schneider,
 * Lumsdaine, 2010). Each message has a tag of its own: with one a lane, LogGOPSim's matching
 * deadlocks. A lane's order becomes requirements: a step waits for the whole group before. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "plan/plan.h"
#include "util/memory.h"

static void statement(const struct sp_plan *p, int i, double flops_per_ns, FILE *out)
{
    const struct sp_step *s = &p->step[i];
    if (s->twin < 0)
        fprintf(out, "l%d: calc %.0f\n", i + 1, sp_step_flops(p, i) / flops_per_ns);
    else
        fprintf(out, "l%d: %s %zub %s %d tag %d\n", i + 1, sp_ops[s->op].name,
                sp_block_bytes(p, sp_step_blocks(p, i)[0]), s->op == SP_SEND ? "to" : "from",
                sp_step_peer(p, i), s->op == SP_SEND ? i : s->twin);
    for (int j = 0; j < s->needs; j++)
        fprintf(out, "l%d requires l%d\n", i + 1, p->need[s->need + j] + 1);
}

/* Steps of a lane so far: [group, n) are its last group, [before, group) the one before. */
struct lane { int *step, n, group, before; };

static void follow(const struct sp_plan *p, struct lane *l, int i, FILE *out)
{
    const struct sp_step *s = &p->step[i];
    if (l->n && (s->group < 0 || s->group != p->step[l->step[l->n - 1]].group)) {
        l->before = l->group;
        l->group = l->n;
    }
    for (int j = l->before; j < l->group; j++)
        fprintf(out, "l%d requires l%d\n", i + 1, l->step[j] + 1);
    l->step[l->n++] = i;
}

void sp_show_goal(const struct sp_plan *p, double flops_per_ns, FILE *out)
{
    struct lane lane[SP_NLANES];
    for (int i = 0; i < SP_NLANES; i++)
        lane[i].step = sp_alloc((size_t)p->nsteps * sizeof(int));
    fprintf(out, "num_ranks %d\n", p->pb.ranks);
    for (int r = 0; r < p->pb.ranks; r++) {
        fprintf(out, "\nrank %d {\n", r);
        for (int i = 0; i < SP_NLANES; i++)
            lane[i].n = lane[i].group = lane[i].before = 0;
        for (int i = 0; i < p->nsteps; i++)
            if (p->step[i].rank == r) {
                statement(p, i, flops_per_ns, out);
                follow(p, &lane[p->step[i].lane], i, out);
            }
        fprintf(out, "}\n");
    }
    for (int i = 0; i < SP_NLANES; i++)
        free(lane[i].step);
}
