/* check.c - `seqpar check`: the proof's verdict on each point, and what it would cost. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "cli/points.h"
#include "cli/verbs.h"
#include "util/stop.h"

enum verdict { RIGHT, WRONG, REFUSED, NVERDICTS };

static void header(void)
{
    printf("# proof: every order that the plan allows computes the definition's result, or why not\n"
           "# sent, messages: of the rank that sends most; memory: buffers of the rank that holds "
           "most\n"
           "# work: FLOPs of unmasked pairs of all ranks; most: of the busiest rank, over the mean\n"
           "#%-10s %-24s %4s %8s %-10s %-4s %12s %8s %12s %6s %12s  %s\n", " strategy", "knobs", "sp",
           "seq", "layout", "pass", "sent(MiB)", "messages", "work(TFLOP)", "most", "memory(MiB)",
           "proof");
}

static void line(const struct sp_plan *p, const char *strategy, const char *knobs,
                 const struct sp_count *c, enum sp_pass pass, size_t memory, const char *verdict)
{
    size_t bytes = 0;
    long messages = 0;
    double flops = 0, most = 0;
    for (int r = 0; r < p->pb.ranks; r++) {
        const struct sp_count *x = &c[r * SP_NPASSES + (int)pass];
        bytes = sp_count_bytes(x) > bytes ? sp_count_bytes(x) : bytes;
        messages = sp_count_messages(x) > messages ? sp_count_messages(x) : messages;
        most = x->flops > most ? x->flops : most;
        flops += x->flops;
    }
    printf(" %-10s %-24s %4d %8ld %-10s %-4s %12.3f %8ld %12.6f %6.3f %12.3f  %s\n", strategy, knobs,
           p->pb.ranks, p->pb.seq, sp_layout_names[p->pb.layout],
           pass == SP_FORWARD ? "fwd" : "bwd", (double)bytes / (1 << 20), messages, flops / 1e12,
           flops > 0 ? most * p->pb.ranks / flops : 1, (double)memory / (1 << 20), verdict);
}

static enum verdict check(const struct sp_point *point, const bool *pass)
{
    char knobs[400];
    if (point->why[0]) {
        printf(" %-10s sp %d: refused: %s\n", point->strategy->name, point->pb.ranks, point->why);
        return REFUSED;
    }
    struct sp_plan *p = sp_strategy_plan(point->strategy, &point->pb);
    struct sp_count *c = sp_plan_counts(p);
    const char *why = sp_check(p);
    size_t memory = 0;
    for (int r = 0; r < p->pb.ranks; r++) {
        size_t bytes = sp_rank_bytes(p, r);
        memory = bytes > memory ? bytes : memory;
    }
    sp_strategy_knobs(point->strategy, &point->pb, true, knobs, sizeof knobs);
    for (int i = 0; i < SP_NPASSES; i++)
        if (pass[i])
            line(p, point->strategy->name, knobs[0] ? knobs : "-", c, i, memory, why ? why : "right");
    fflush(stdout);
    free(c);
    sp_plan_free(p);
    return why ? WRONG : RIGHT;
}

int sp_check_main(int argc, char **argv)
{
    struct sp_options o = sp_options_read(SP_VERB_CHECK, argc, argv);
    int n, of[NVERDICTS] = { 0 };
    struct sp_point *point = sp_points(&o, false, &n);
    header();
    for (int i = 0; i < n; i++)
        of[check(&point[i], o.pass)]++;
    free(point);
    printf("# %d right, %d wrong, %d refused\n", of[RIGHT], of[WRONG], of[REFUSED]);
    return of[WRONG] ? SP_EXIT_WRONG : of[RIGHT] ? SP_EXIT_OK : SP_EXIT_USAGE;
}
