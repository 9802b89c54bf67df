/* stage.c - scenes made by hand. */
/* SPDX-License-Identifier: MIT */
#include "stage.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "sim/rounds.h"
#include "util/memory.h"

enum { NODE = 8 };
enum { UP, DOWN, OUT, IN, PER_RANK };

struct sp_profile stage_profile(void)
{
    struct sp_profile f = { .name = "by hand", .slots = 1 };
    for (int i = 0; i < SP_NLINK_KINDS; i++)
        f.link[i] = 1;
    return f;
}

static int link_at(int place, int what) { return place * PER_RANK + what; }

static void hop(struct sp_scene *s, int link)
{
    s->hop = sp_grow(s->hop, s->nhops, sizeof *s->hop);
    s->hop[s->nhops++] = (struct sp_hop){ link, 1 };
    s->ways[s->nways].nhops++;
}

/* Leaf links come after those of all ranks: up, down of each. */
static int way(struct sp_scene *s, struct stage g, int a, int b)
{
    bool near = a / NODE == b / NODE;
    int share = g.ranks_per_nic ? g.ranks_per_nic : 1;
    int leaf = g.nodes_per_leaf ? NODE * g.nodes_per_leaf : s->plan->pb.ranks;
    s->ways = sp_grow(s->ways, s->nways, sizeof *s->ways);
    s->ways[s->nways] = (struct sp_way){
        .class = near ? SP_PATH_NVLINK : SP_PATH_NET, .latency = near ? 1e-6 : 5e-6,
        .cap = INFINITY, .hop = s->nhops };
    hop(s, near ? link_at(a, UP) : link_at(a / share * share, OUT));
    if (!near && a / leaf != b / leaf) {
        hop(s, s->plan->pb.ranks * PER_RANK + a / leaf * 2);
        hop(s, s->plan->pb.ranks * PER_RANK + b / leaf * 2 + 1);
    }
    hop(s, near ? link_at(b, DOWN) : link_at(b / share * share, IN));
    return s->nways++;
}

static void links(struct sp_scene *s, struct stage g)
{
    int ranks = s->plan->pb.ranks, leaf = g.nodes_per_leaf ? NODE * g.nodes_per_leaf : ranks;
    double net = g.net > 0 ? g.net : 50e9;
    s->nlinks = ranks * PER_RANK + 2 * ((ranks + leaf - 1) / leaf);
    s->rate = sp_alloc((size_t)s->nlinks * sizeof *s->rate);
    s->link_of = sp_alloc((size_t)s->nlinks * sizeof *s->link_of);
    for (int i = 0; i < s->nlinks; i++) {
        s->link_of[i] = i;
        s->rate[i] = i >= ranks * PER_RANK ? leaf * net / g.oversubscribed
                     : i % PER_RANK < OUT ? 450e9 : net;
    }
}

static void ranks(struct sp_scene *s, struct stage g)
{
    size_t n = (size_t)s->plan->pb.ranks;
    int *node = sp_alloc(n * sizeof *node);
    s->speed = sp_alloc(n * sizeof *s->speed);
    s->host = sp_alloc(n * sizeof *s->host);
    s->processors = sp_alloc(n * sizeof *s->processors);
    for (int r = 0; r < s->plan->pb.ranks; r++) {
        node[r] = (r + g.shift) % s->plan->pb.ranks / NODE;
        s->speed[r] = 1;
        s->host[r] = node[r];
    }
    struct sp_rounds *x = sp_rounds_new(node, s->plan->pb.ranks, s->plan->pb.ranks);
    s->round = sp_alloc((size_t)s->plan->nsteps * sizeof *s->round);
    for (int i = 0; i < s->plan->nsteps; i++)
        if (s->plan->step[i].op == SP_SEND)
            s->round[i] = s->round[s->plan->step[i].twin] =
                sp_round(x, s->plan->step[i].rank, sp_step_peer(s->plan, i));
    sp_rounds_free(x);
    free(node);
}

struct sp_scene *stage_new(const struct sp_plan *p, const struct sp_profile *f, struct stage g)
{
    struct sp_scene *s = sp_alloc(sizeof *s);
    *s = (struct sp_scene){ .plan = p, .profile = f };
    g.oversubscribed = g.oversubscribed > 0 ? g.oversubscribed : 1;
    links(s, g);
    sp_scene_steps(s);
    for (int i = 0; i < p->nsteps; i++) {
        const struct sp_step *t = &p->step[i];
        if (t->twin < 0)
            s->work[i] = t->op == SP_ATTN || t->op == SP_GRAD ? g.attn
                         : t->op == SP_MERGE || t->op == SP_ADD ? g.merge
                         : t->op == SP_COPY ? g.copy : 0;
        if (t->op == SP_SEND)
            s->way[i] = way(s, g, (t->rank + g.shift) % p->pb.ranks,
                            (sp_step_peer(p, i) + g.shift) % p->pb.ranks);
    }
    ranks(s, g);
    return s;
}

double stage_time(const struct sp_scene *s, enum sp_pass pass, struct sp_sim_options o)
{
    struct sp_loop *l = sp_loop_new(s->plan, SP_ALL_RANKS);
    double time = 0;
    for (int i = 0; i <= (int)pass; i++) {
        struct sp_sim *x = sp_sim_new(s, &o);
        struct sp_executor *e = sp_sim_executor(x);
        const char *why = sp_loop_run(l, (enum sp_pass)i, e, NULL);
        time = why ? NAN : e->now(e);
        sp_sim_free(x);
    }
    sp_loop_free(l);
    return time;
}
