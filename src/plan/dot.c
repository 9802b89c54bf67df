/* dot.c - a plan as a Graphviz picture: a column a rank, arrows for waiting, bold ones for
 * messages. */
/* SPDX-License-Identifier: MIT */
#include "plan/plan.h"

static void node(const struct sp_plan *p, int i, FILE *out)
{
    static const char *const colour[SP_NLANES] = { "#d8e8ff", "#ffe0c0", "#fff4b0" };
    const struct sp_step *s = &p->step[i];
    fprintf(out, "    s%d [label=\"%d %s\\n%s\", fillcolor=\"%s\"];\n", i, i, sp_ops[s->op].name,
            p->buf[sp_step_blocks(p, i)[0].buf].name, colour[s->lane]);
}

void sp_show_dot(const struct sp_plan *p, FILE *out)
{
    fprintf(out, "digraph plan {\n  rankdir=TB;\n"
            "  node [shape=box, style=filled, fontname=\"sans-serif\", fontsize=10];\n");
    for (int r = 0; r < p->pb.ranks; r++) {
        fprintf(out, "  subgraph cluster_%d {\n    label=\"rank %d\";\n", r, r);
        int last[SP_NLANES] = { -1, -1, -1 };
        for (int i = 0; i < p->nsteps; i++) {
            const struct sp_step *s = &p->step[i];
            if (s->rank != r)
                continue;
            node(p, i, out);
            if (last[s->lane] >= 0)     /* the lane's own order, dotted */
                fprintf(out, "    s%d -> s%d [style=dotted, arrowhead=none];\n", last[s->lane], i);
            last[s->lane] = i;
        }
        fprintf(out, "  }\n");
    }
    for (int i = 0; i < p->nsteps; i++) {
        const struct sp_step *s = &p->step[i];
        for (int j = 0; j < s->needs; j++)
            fprintf(out, "  s%d -> s%d;\n", p->need[s->need + j], i);
        if (s->op == SP_SEND)
            fprintf(out, "  s%d -> s%d [style=bold, color=\"#c04000\", constraint=false];\n", i,
                    s->twin);
    }
    fprintf(out, "}\n");
}
