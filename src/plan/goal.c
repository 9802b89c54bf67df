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

void sp_show_goal(const struct sp_plan *p, double flops_per_ns, FILE *out)
{
    int *mine = sp_alloc(((size_t)p->nsteps + 1) * sizeof *mine);
    fprintf(out, "num_ranks %d\n", p->pb.ranks);
    for (int r = 0; r < p->pb.ranks; r++) {
        fprintf(out, "\nrank %d {\n", r);
        for (int lane = 0; lane < SP_NLANES; lane++) {
            int n = 0, group = 0, before = 0;       /* mine[group..n): the last group */
            for (int i = 0; i < p->nsteps; i++) {
                const struct sp_step *s = &p->step[i];
                if (s->rank != r || s->lane != lane)
                    continue;
                statement(p, i, flops_per_ns, out);
                if (n && (s->group < 0 || s->group != p->step[mine[n - 1]].group)) {
                    before = group;
                    group = n;
                }
                for (int j = before; j < group; j++)
                    fprintf(out, "l%d requires l%d\n", i + 1, mine[j] + 1);
                mine[n++] = i;
            }
        }
        fprintf(out, "}\n");
    }
    free(mine);
}
