/* test_symmetry.c - a few ranks that stand for all: the same times and bytes, in all modes, as
 * if each ran by itself. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"
#include "sim/predict.h"
#include "topofile.h"
#include "util/memory.h"

enum { NONE = -1 };

/* ---- what is laid on what ---------------------------------------------------------- */

struct trial {
    char cluster[1000];
    const char *strategy;
    char problem[300];
    int groups;
    int slow;                   /* a rank of some group at half its speed; or NONE */
    int down;                   /* a link with a third of its rate; or NONE */
    int concurrent;             /* messages of a group at once; 0: all */
    bool alike;                 /* messages of a group don't take turns */
};

static void add_line(char *text, const char *line, ...)
{
    va_list ap;
    size_t n = strlen(text);
    va_start(ap, line);
    vsnprintf(text + n, sizeof((struct trial *)0)->cluster - n, line, ap);
    va_end(ap);
}

/* A machine's line; "" is one without GPUs. Its file must be there. */
static void add_machine(char *text, const char *name)
{
    char path[400];
    const char *data = getenv("SEQPAR_DATA");
    if (!*name) {
        add_line(text, "machine m ranks=4 memory=10GB/s nic_rate=10Gb/s cores=6\n");
        return;
    }
    snprintf(path, sizeof path, "%s/%s.xml", data ? data : "topologies", name);
    if (access(path, R_OK))
        skip();
    add_line(text, "machine m_%s topo=%s\n", name, path);
}

static struct sp_profile *profile_for(const struct trial *x)
{
    const char *why, *data = getenv("SEQPAR_DATA");
    char path[400];
    snprintf(path, sizeof path, "%s/profiles/h100-fa3.json", data ? data : "topologies");
    struct sp_profile *f = sp_profile_load(path, &why);
    if (!f)
        fail_msg("%s", why);
    for (int i = 0; i < SP_NPATH_CLASSES; i++) {
        f->path[i].concurrent = x->concurrent;
        f->path[i].each = x->alike ? 0 : f->path[i].each;
    }
    for (int i = 0; i < SP_NLINK_KINDS; i++)
        f->link[i] = f->link[i] > 0 ? f->link[i] : 1;
    return f;
}

/* ---- running ----------------------------------------------------------------------- */

struct outcome { double time, bytes[SP_NLINK_KINDS]; };

static struct outcome run(const struct sp_scene *s, struct sp_loop *l, const struct sp_topo *t,
                          enum sp_pass pass, struct sp_sim_options o)
{
    struct outcome out = { 0 };
    struct sp_sim *x = sp_sim_new(s, &o);
    const char *why = sp_loop_run(l, pass, sp_sim_executor(x), NULL);
    if (why)
        fail_msg("%s", why);
    out.time = sp_sim_executor(x)->now(sp_sim_executor(x));
    for (int i = 0; i < s->nlinks; i++)
        out.bytes[t->link[s->link_of[i]].kind] +=
            sp_sim_crossed(x, i) * (s->stands ? s->stands[i] : 1);
    sp_sim_free(x);
    return out;
}

static void same(const struct trial *x, double got, double want, double within,
                 const char *what)
{
    if (!(fabs(got - want) <= within * want))
        fail_msg("%s of %s, %s: %.12g collapsed, %.12g explicitly\n%d groups, slow %d, down %d, "
                 "concurrent %d, alike %d on\n%s", what, x->strategy, x->problem, got, want,
                 x->groups, x->slow, x->down, x->concurrent, x->alike, x->cluster);
}

static void compare(const struct trial *x, const struct sp_scene *few,
                    const struct sp_scene *all, const struct sp_topo *t)
{
    int passes = all->plan->backward_at < all->plan->nsteps ? SP_NPASSES : 1;
    bool streams = t->vertex[t->endpoint[0]].kind == SP_GPU;
    struct sp_loop *a = sp_loop_new(few->plan, SP_ALL_RANKS),
                   *b = sp_loop_new(all->plan, SP_ALL_RANKS);
    for (int i = 0; i < 4 * passes; i++) {
        struct sp_sim_options o = { .mode = i % 4, .streams = streams };
        struct outcome got = run(few, a, t, i / 4, o), want = run(all, b, t, i / 4, o);
        same(x, got.time, want.time, 1e-9, "time");
        for (int k = 0; k < SP_NLINK_KINDS; k++)
            same(x, got.bytes[k], want.bytes[k], 1e-6, "bytes");
    }
    sp_loop_free(a);
    sp_loop_free(b);
}

/* How many ranks stand for all. */
static int try(const struct trial *x)
{
    struct sp_topo *t = topofile_must(x->cluster, NULL);
    struct sp_profile *f = profile_for(x);
    struct sp_plan *p = case_plan(x->strategy, x->problem);
    struct sp_placement at;
    const char *why = sp_place(t, p->pb.ranks, x->groups, 0, &at);
    if (why)
        fail_msg("%s", why);
    int units = x->groups * p->pb.ranks;
    double *speed = sp_alloc((size_t)units * sizeof *speed);
    for (int u = 0; u < units; u++)
        speed[u] = u == x->slow ? 0.5 : 1;
    at.speed = speed;
    if (x->down != NONE)
        t->link[x->down].rate /= 3;
    struct sp_scene *few = sp_scene_collapsed(p, t, f, &at), *all = sp_scene_all(p, t, f, &at);
    int ranks = few->plan->pb.ranks, weight = 0;
    for (int r = 0; r < ranks; r++)
        weight += few->weight[r];
    assert_int_equal(weight, units);
    compare(x, few, all, t);
    sp_scene_free(few);
    sp_scene_free(all);
    sp_plan_free(p);
    sp_profile_free(f);
    sp_topo_free(t);
    free(at.endpoint);
    free(speed);
    return ranks;
}

/* ---- by chance --------------------------------------------------------------------- */

static unsigned long dice;

static int roll(int n)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (int)((dice >> 33) % (unsigned long)n);
}

static void random_cluster(struct trial *x, int nodes)
{
    static const char *const names[] = { "dgx-h100", "hgx-a100-4nic", "aws-p5", "l40s-8x", "" };
    const char *a = names[roll(5)], *b = names[roll(5)];
    bool mixed = roll(4) == 0 && *a && *b && strcmp(a, b) != 0;
    add_machine(x->cluster, a);
    if (mixed)
        add_machine(x->cluster, b);
    int cut = mixed ? 1 + roll(nodes - 1) : nodes;
    add_line(x->cluster, "nodes a[1-%d] machine=m%s%s\n", cut, *a ? "_" : "", a);
    if (mixed)
        add_line(x->cluster, "nodes b[1-%d] machine=m_%s\n", nodes - cut, b);
    add_line(x->cluster, "fabric net rate=%s rails=%d nodes_per_leaf=%d spines=%d oversub=%d\n",
             *a ? "400Gb/s" : "10Gb/s", *a && !mixed && roll(2) ? 4 : 1, 1 + roll(4),
             1 + roll(3), 1 + roll(3));
}

static void random_problem(struct trial *x, int room)
{
    static const char *const strategies[] = { "ring", "ulysses", "hybrid", "allgather" };
    static const int sizes[] = { 2, 4, 8, 16, 6, 12 };
    int ranks = sizes[roll(6)], which = roll(4);
    while (ranks > room)
        ranks = sizes[roll(6)];
    x->strategy = strategies[which];
    x->groups = 1 + roll(room / ranks < 4 ? room / ranks : 4);
    snprintf(x->problem, sizeof x->problem, "ranks=%d seq=%d heads=48:%d dim=128 dtype=bf16 "
             "mask=%s pass=%s%s%s", ranks, ranks * 64 * (1 + roll(8)),
             roll(2) || ranks == 16 ? 48 : 24, roll(3) ? "full" : "causal", roll(2) ? "both" : "fwd",
             which ? "" : roll(2) ? " fused=0" : " fused=1",
             which ? "" : roll(2) ? " bwd=rev" : " bwd=home");
    x->slow = roll(5) ? NONE : roll(x->groups * ranks);
    x->down = roll(5) ? NONE : roll(4 * room);
    x->concurrent = roll(3) ? 0 : 1 << roll(3);
    x->alike = roll(2);
}

static void test_by_chance(void **state)
{
    (void)state;
    int tried = 0, fewer = 0;
    for (dice = 1; tried < 60; tried++) {
        struct trial x = { .groups = 1 };
        int nodes = 2 + roll(5);
        random_cluster(&x, nodes);
        random_problem(&x, strstr(x.cluster, "ranks=4") ? 4 * nodes : 8 * nodes);
        int few = try(&x), all = atoi(x.problem + strlen("ranks=")) * x.groups;
        fewer += few < all;
    }
    print_message("%d of %d trials need fewer ranks\n", fewer, tried);
    assert_true(fewer > tried / 4);
}

/* ---- how many there must be -------------------------------------------------------- */

static struct trial dgx(const char *fabric, const char *strategy, const char *problem,
                        int groups)
{
    struct trial x = { .strategy = strategy, .groups = groups, .slow = NONE, .down = NONE };
    add_machine(x.cluster, "dgx-h100");
    add_line(x.cluster, "nodes n[1-4] machine=m_dgx-h100\nfabric ib rate=400Gb/s rails=8 %s\n",
             fabric);
    snprintf(x.problem, sizeof x.problem, "heads=32:32 dim=128 dtype=bf16 %s", problem);
    return x;
}

static const char one_leaf[] = "nodes_per_leaf=4 spines=0";

static void test_like_groups_are_one(void **state)
{
    (void)state;
    struct trial x = dgx(one_leaf, "ring", "ranks=8 seq=8192 mask=full pass=both", 4);
    assert_int_equal(try(&x), 1);
    x = dgx(one_leaf, "ring", "ranks=8 seq=8192 mask=causal pass=both", 4);
    assert_int_equal(try(&x), 8);
    x = dgx(one_leaf, "ulysses", "ranks=8 seq=8192 mask=causal pass=both", 4);
    x.alike = true;
    assert_int_equal(try(&x), 1);
}

static void test_like_nodes_are_one(void **state)
{
    (void)state;
    const char *problem = "ranks=32 seq=32768 mask=full pass=both";
    struct trial x = dgx(one_leaf, "ring", problem, 1);
    assert_int_equal(try(&x), 8);
    x = dgx(one_leaf, "ring", "ranks=32 seq=32768 mask=causal layout=striped pass=both", 1);
    assert_int_equal(try(&x), 8);
    x = dgx(one_leaf, "ring", "ranks=32 seq=32768 mask=causal layout=zigzag pass=both", 1);
    assert_int_equal(try(&x), 32);
    x = dgx("nodes_per_leaf=2 spines=2", "ring", problem, 1);
    assert_int_equal(try(&x), 16);
    x = dgx(one_leaf, "ulysses", problem, 1);
    assert_true(try(&x) <= 8);
    x = dgx(one_leaf, "allgather", problem, 1);
    assert_true(try(&x) <= 8);
}

static void test_what_is_slow_stands_alone(void **state)
{
    (void)state;
    struct trial x = dgx(one_leaf, "ring", "ranks=8 seq=8192 mask=full pass=both", 4);
    x.slow = 13;
    assert_int_equal(try(&x), 1 + 8);
    x = dgx(one_leaf, "ring", "ranks=32 seq=32768 mask=full pass=both", 1);
    x.slow = 13;
    assert_int_equal(try(&x), 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_like_groups_are_one),
        cmocka_unit_test(test_like_nodes_are_one),
        cmocka_unit_test(test_what_is_slow_stands_alone),
        cmocka_unit_test(test_by_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
