/* test_topo.c - clusters: the ways from rank to rank, and how fast patterns can be. */
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

#include "tests/topofile.h"
#include "topo/bound.h"
#include "topo/topo.h"

static struct sp_route route(const struct sp_topo *t, int from, int to)
{
    struct sp_route r;
    sp_topo_route(t, from, to, &r);
    return r;
}

/* The part of the bytes that enters a vertex; 0: it is not on the way. */
static double through(const struct sp_topo *t, const struct sp_route *r, const char *name)
{
    double part = 0;
    for (int i = 0; i < r->n; i++)
        if (!strcmp(t->vertex[t->link[r->hop[i].link].to].name, name))
            part += (double)r->hop[i].share;
    return part;
}

/* Flow is kept at every vertex: what enters leaves, but at the ends. */
static void check_route(const struct sp_topo *t, int from, int to, double *balance)
{
    struct sp_route r = route(t, from, to);
    assert_in_range(r.n, 1, SP_MAX_HOPS);
    assert_true(r.cap > 0 && isfinite(r.cap) && r.latency >= 0 && r.latency < 1);
    for (int i = 0; i < r.n; i++) {
        const struct sp_link *l = &t->link[r.hop[i].link];
        balance[l->from] -= (double)r.hop[i].share;
        balance[l->to] += (double)r.hop[i].share;
    }
    for (int i = 0; i < r.n; i++)
        for (int end = 0; end < 2; end++) {
            const struct sp_link *l = &t->link[r.hop[i].link];
            int v = end ? l->from : l->to;
            double should = v == t->endpoint[from] ? -1 : v == t->endpoint[to] ? 1 : 0;
            assert_float_equal(balance[v], should, 1e-5);
        }
    for (int i = 0; i < r.n; i++)
        balance[t->link[r.hop[i].link].from] = balance[t->link[r.hop[i].link].to] = 0;
}

/* All invariants of a topology, and of some of its routes. */
static void check_topo(const struct sp_topo *t)
{
    double *balance = calloc((size_t)t->nvertices, sizeof *balance);
    for (int i = 0; i < t->nlinks; i++) {
        const struct sp_link *l = &t->link[i], *back = &t->link[i ^ 1];
        assert_true(l->from == back->to && l->to == back->from && l->kind == back->kind);
        assert_true(l->rate > 0 && l->rate == back->rate && l->cables > 0 && l->source);
    }
    for (int i = 0; i < 400; i++) {
        int from = i * 7 % t->nendpoints, to = (i * 31 + 1) % t->nendpoints;
        if (from != to)
            check_route(t, from, to, balance);
    }
    assert_int_equal(route(t, 0, 0).class, SP_PATH_SELF);
    assert_int_equal(route(t, 0, 0).n, 0);
    free(balance);
}

/* ---- machines of processors -------------------------------------------------------------- */

static void test_ranks(void **state)
{
    (void)state;
    struct sp_topo *t = topofile_must("machine box ranks=2 memory=10GB/s nic_rate=1Gb/s cores=8\n"
                                      "nodes b[1-3] machine=box\n"
                                      "fabric eth rate=10Gb/s nic=5us switch=1us\n", NULL);
    check_topo(t);
    assert_int_equal(t->nendpoints, 6);
    assert_int_equal(t->machine[0].processors, 8);
    struct sp_route r = route(t, 0, 1);
    assert_int_equal(r.class, SP_PATH_MEMORY);
    assert_int_equal(r.n, 2);
    assert_float_equal(r.cap, 10e9, 1);
    r = route(t, 0, 5);
    assert_int_equal(r.class, SP_PATH_NET);
    assert_float_equal(r.cap, 125e6, 1);
    assert_float_equal(r.latency, 11e-6, 1e-9);
    sp_topo_free(t);
}

/* ---- machines that come with seqpar, or lie beside it ------------------------------------ */

static struct sp_topo *machine_file(const char *machine, const char *keys, const char *rest)
{
    char text[4096];
    const char *path = topofile_find(machine);
    if (!path)
        return NULL;
    char *real = realpath(path, NULL);
    snprintf(text, sizeof text, "machine m topo=%s %s\n%s", real, keys, rest);
    free(real);
    return topofile_must(text, NULL);
}

/* What can be worked out by hand: GB/s of each rank. */
static void test_bounds(void **state)
{
    static const struct {
        const char *machine, *keys, *rest;
        double alltoall, ring;
    } cases[] = {
        { "data/machines/dgx-h100.xml", "", "nodes n[1-2] machine=m\n"
          "fabric ib rate=400Gb/s rails=8 nodes_per_leaf=32 spines=4\n", 50 / (8 / 15.), 50 },
        { "data/machines/hgx-h200.xml", "", "nodes n[00-31] machine=m\n"
          "fabric ib rate=400Gb/s nodes_per_leaf=8 spines=4 oversub=2\n", 25 / (192 / 255.), 50 },
        { "data/machines/gb200-tray.xml", "nvlink=none c2c=225GB/s smp=75GB/s",
          "nodes t[01-18] machine=m\nnvlink r nodes=t[01-18] links=18 rate=50GB/s\n", 900, 900 },
        { "data/machines/gb200-tray.xml", "nvlink=none c2c=225GB/s smp=75GB/s",
          "nodes r[1-8]t[01-18] machine=m\n"
          "nvlink r1 nodes=r1t[01-18] links=18 rate=50\n"
          "nvlink r2 nodes=r2t[01-18] links=18 rate=50\n"
          "nvlink r3 nodes=r3t[01-18] links=18 rate=50\n"
          "nvlink r4 nodes=r4t[01-18] links=18 rate=50\n"
          "nvlink r5 nodes=r5t[01-18] links=18 rate=50\n"
          "nvlink r6 nodes=r6t[01-18] links=18 rate=50\n"
          "nvlink r7 nodes=r7t[01-18] links=18 rate=50\n"
          "nvlink r8 nodes=r8t[01-18] links=18 rate=50\n"
          "fabric ib rate=400Gb/s rails=4 nodes_per_leaf=18 spines=9\n", 50 / (504 / 575.), 50 },
        { "data/machines/aws-p5.xml", "", "nodes n[1-2] machine=m\n"
          "fabric efa rate=100Gb/s rails=32 spines=8\n", 50 / (8 / 15.), 50 },
        { "data/machines/l40s-8x-switch.xml", "smp=22", "nodes n machine=m\n", 22 / (16 / 7.), 22 },
        { "data/machines/mi300x-8x.xml", "", "nodes n machine=m\n", 7 * 64, 64 },
        { "data/hwloc-xml/psmgmt-topo.jwb0001.xml", "nvlink=mesh:4x25",
          "nodes n[1-2] machine=m\nfabric ib rate=200Gb/s rails=4\n", 25 / (4 / 7.), 25 },
    };
    (void)state;
    enum { N = sizeof cases / sizeof *cases };
    int absent = 0;             /* some machines don't come with seqpar */
    for (int i = 0; i < N; i++) {
        struct sp_topo *t = machine_file(cases[i].machine, cases[i].keys, cases[i].rest);
        if (!t) {
            absent++;
            continue;
        }
        check_topo(t);
        struct sp_bound all = sp_bound(t, SP_PATTERN_ALLTOALL, t->nendpoints);
        struct sp_bound ring = sp_bound(t, SP_PATTERN_RING, t->nendpoints);
        assert_float_equal(all.rate / 1e9 / cases[i].alltoall, 1, 1e-5);
        assert_float_equal(ring.rate / 1e9 / cases[i].ring, 1, 1e-5);
        sp_topo_free(t);
    }
    if (absent == N)
        skip();
}

/* A GPU with four NICs of its own uses them all, and nobody else's. */
static void test_stripes(void **state)
{
    (void)state;
    struct sp_topo *t = machine_file("data/machines/aws-p5.xml", "", "nodes n[1-2] machine=m\n"
                                     "fabric efa rate=100Gb/s rails=32 spines=8\n");
    if (!t)
        skip();
    check_topo(t);
    struct sp_route r = route(t, 0, 8);
    int nic[8];
    assert_float_equal(r.cap, 50e9, 1e3);
    assert_int_equal(sp_topo_nics(t, 0, nic, 8), 4);
    for (int k = 0; k < 4; k++)
        assert_float_equal(through(t, &r, t->vertex[nic[k]].name), 0.25, 1e-6);
    sp_topo_free(t);
    t = machine_file("data/machines/aws-p4d.xml", "", "nodes n[1-2] machine=m\n"
                     "fabric efa rate=100Gb/s rails=4 spines=4\n");
    check_topo(t);
    r = route(t, 0, 8);
    assert_float_equal(r.cap, 12.5e9, 1e3);         /* one NIC for two GPUs */
    assert_int_equal(sp_topo_nics(t, 1, nic, 8), 1);
    assert_string_equal(t->vertex[nic[0]].name, "n1/rdmap0");
    assert_int_equal(sp_topo_nics(t, 0, nic, 8), 1);
    assert_string_equal(t->vertex[nic[0]].name, "n1/rdmap0");
    sp_topo_free(t);
}

/* Two GPUs and two NICs at one NUMA node, all as near: one each. */
static void test_own_nics(void **state)
{
    static const char *const names[] = { "n/mlx5_0", "n/mlx5_1", "n/mlx5_4", "n/mlx5_5" };
    int nic[4];
    (void)state;
    struct sp_topo *t = machine_file("data/machines/gb200-tray.xml", "nvlink=18x50",
                                     "nodes n,o machine=m\nfabric ib rate=400Gb/s rails=4\n");
    if (!t)
        skip();
    for (int e = 0; e < 4; e++) {
        assert_int_equal(sp_topo_nics(t, e, nic, 4), 1);
        assert_string_equal(t->vertex[nic[0]].name, names[e]);
    }
    sp_topo_free(t);
}

/* dgx1/gpu0 to dgx2/gpu1: over NVLink to the rail of gpu1; without PXN over a spine; never
 * through the other machine's sockets. */
static void test_rails(void **state)
{
    (void)state;
    struct sp_topo *t = machine_file("data/machines/dgx-h100.xml", "", "nodes n[1-2] machine=m\n"
                                     "fabric ib rate=400Gb/s rails=8 nodes_per_leaf=32 spines=4 "
                                     "nic=0.6us switch=0.25us\n");
    if (!t)
        skip();
    struct sp_route r = route(t, 0, 9);
    assert_float_equal(through(t, &r, "n1/gpu1") + through(t, &r, "ib/leaf1"), 2, 1e-6);
    assert_float_equal(r.latency, 1.45e-6, 1e-12);
    assert_int_equal(r.class, SP_PATH_NET);
    sp_topo_free(t);
    t = machine_file("data/machines/dgx-h100.xml", "", "nodes n[1-2] machine=m\n"
                     "fabric ib rate=400Gb/s rails=8 nodes_per_leaf=32 spines=4 pxn=no "
                     "nic=0.6us switch=0.25us\n");
    check_topo(t);
    r = route(t, 0, 9);
    assert_float_equal(through(t, &r, "ib/leaf0") + through(t, &r, "ib/leaf1"), 2, 1e-6);
    assert_float_equal(through(t, &r, "n1/gpu1") + through(t, &r, "n2/numa0"), 0, 1e-6);
    assert_float_equal(r.latency, 1.95e-6, 1e-12);
    sp_topo_free(t);
}

/* ---- the network ------------------------------------------------------------------------- */

static const char box[] = "machine m ranks=1 memory=100GB/s nic_rate=10GB/s\n";

static struct sp_topo *boxes(const char *rest)
{
    char text[4096];
    snprintf(text, sizeof text, "%s%.3000s", box, rest);
    struct sp_topo *t = topofile_must(text, NULL);
    check_topo(t);
    return t;
}

/* Destinations take the spines in turns; the same way each time. */
static void test_spines(void **state)
{
    int used[4] = { 0 };
    (void)state;
    struct sp_topo *t = boxes("nodes n[00-15] machine=m\n"
                              "fabric f rate=10GB/s nodes_per_leaf=8 spines=4\n");
    for (int to = 8; to < 16; to++) {
        struct sp_route r = route(t, 0, to), again = route(t, 0, to);
        assert_int_equal(r.n, again.n);
        for (int i = 0; i < r.n; i++)
            assert_int_equal(r.hop[i].link, again.hop[i].link);
        for (int s = 0; s < 4; s++) {
            char name[32];
            snprintf(name, sizeof name, "f/spine%d", s);
            used[s] += through(t, &r, name) > 0;
        }
    }
    for (int s = 0; s < 4; s++)
        assert_int_equal(used[s], 2);
    sp_topo_free(t);
}

/* oversub=2: half of 8 x 10 up. A message gets one cable's rate of it. */
static void test_uplinks(void **state)
{
    int links = 0;
    (void)state;
    struct sp_topo *t = boxes("nodes n[00-15] machine=m\n"
                              "fabric f rate=10GB/s nodes_per_leaf=8 spines=2 oversub=2\n");
    for (int i = 0; i < t->nlinks; i++)
        if (t->vertex[t->link[i].from].kind == SP_LEAF
            && t->vertex[t->link[i].to].kind == SP_SPINE) {
            assert_float_equal(t->link[i].rate, 20e9, 1);
            assert_int_equal(t->link[i].cables, 2);
            links++;
        }
    assert_int_equal(links, 4);
    assert_float_equal(route(t, 0, 15).cap, 10e9, 1);
    sp_topo_free(t);
    t = boxes("nodes n[00-15] machine=m\n"
              "fabric f rate=10GB/s nodes_per_leaf=8 spines=2 routing=adaptive\n");
    struct sp_route r = route(t, 0, 15);
    assert_float_equal(through(t, &r, "f/spine0"), 1, 1e-6);
    assert_float_equal(t->link[r.hop[3].link].rate, 80e9, 1);
    sp_topo_free(t);
}

/* Each NIC on two planes with half its rate each: a message is striped over both. */
static void test_planes(void **state)
{
    (void)state;
    struct sp_topo *t = boxes("nodes n[00-15] machine=m\n"
                              "fabric f rate=10GB/s nodes_per_leaf=8 spines=2 planes=2\n");
    struct sp_route r = route(t, 0, 1);
    assert_float_equal(r.cap, 10e9, 1e3);
    assert_float_equal(through(t, &r, "f/leaf0"), 0.5, 1e-6);
    assert_float_equal(through(t, &r, "f/leaf2"), 0.5, 1e-6);
    sp_topo_free(t);
}

static const char irregular[] =
    "nodes n[1-5] machine=m\n"
    "switch a tier=leaf\nswitch b\nswitch s tier=spine plane=0\nswitch z tier=spine\n"
    "link n1:nic0 a rate=5\nlink a n2:nic0\n"
    "link n3:nic0 b\nlink n4:nic0 b latency=1us\nlink n5:nic0 b\n"
    "link a s rate=10\nlink s b rate=10\nlink b s rate=10\n"
    "link a z count=2 rate=7\nlink z b rate=10\n";

/* The cables from one switch to another, and the rate of each in GB/s. */
static void check_cables(const struct sp_topo *t, const char *from, const char *to, int cables,
                         double rate)
{
    int found = 0;
    for (int i = 0; i < t->nlinks; i++)
        if (!strcmp(t->vertex[t->link[i].from].name, from)
            && !strcmp(t->vertex[t->link[i].to].name, to)) {
            assert_int_equal(t->link[i].cables, cables);
            assert_float_equal(t->link[i].rate, cables * rate * 1e9, 1);
            found++;
        }
    assert_int_equal(found, cables > 0);
}

/* Places on the far switch take cables in turns: s, z, and z's second. */
static void test_cables(void **state)
{
    char text[2048];
    (void)state;
    struct sp_topo *t = boxes(irregular);
    assert_float_equal(route(t, 0, 1).cap, 5e9, 1);
    struct sp_route third = route(t, 1, 2), fourth = route(t, 1, 3), fifth = route(t, 1, 4);
    assert_float_equal(through(t, &third, "s"), 1, 1e-6);
    assert_float_equal(through(t, &fourth, "z"), 1, 1e-6);
    assert_float_equal(through(t, &fifth, "z"), 1, 1e-6);
    assert_float_equal(third.cap, 10e9, 1);
    assert_float_equal(fourth.cap, 7e9, 1);
    assert_float_equal(fourth.latency, 1e-6, 1e-12);
    check_cables(t, "b", "s", 2, 10);
    check_cables(t, "z", "a", 2, 7);
    sp_topo_free(t);
    snprintf(text, sizeof text, "%sdown s b\ndown a z count=1\n", irregular);
    t = boxes(text);
    third = route(t, 1, 2);
    assert_float_equal(through(t, &third, "z"), 1, 1e-6);
    check_cables(t, "s", "b", 0, 0);
    check_cables(t, "a", "z", 1, 7);
    sp_topo_free(t);
    snprintf(text, sizeof text, "%s%sdown z b\ndown s b\n", box, irregular);
    assert_non_null(strstr(topofile_wrong(text, NULL), "no way leads from n1/cpu0 to n3/cpu0"));
}

/* ---- what makes no sense ----------------------------------------------------------------- */

static void test_wrong(void **state)
{
    static const struct { const char *text, *why; } bad[] = {
        { "", "is empty" },
        { "# nothing\n", "has no nodes" },
        { "machin m\n", ":1: no statement \"machin\"; it must be machine, nodes" },
        { "machine m\n", ":1: machine m needs topo=FILE.xml, or ranks=N" },
        { "machine\n", ":1: machine needs a name first" },
        { "machine ranks=2\n", ":1: machine needs a name first" },
        { "machine m ranks=0\n", "ranks=: 0 must be from 1 to 512" },
        { "machine m ranks=99999999999999999999\n", "must be from 1 to 512" },
        { "machine m ranks=2 ranks=3\n", "ranks= is there twice" },
        { "machine m ranks=2 rankz=3\n", "machine has no rankz=; it has topo, nvlink" },
        { "machine m ranks\n", "\"ranks\" is not KEY=VALUE" },
        { "machine m ranks=\n", "ranks=: is empty" },
        { "machine m \"ranks=2\n", "a quote is not closed" },
        { "machine m ranks=2 memory=50gb/s\n", "\"50gb/s\" is not a rate such as 400Gb/s" },
        { "machine m ranks=2\nmachine m ranks=2\n", ":2: there is a machine m already" },
        { "machine m ranks=2\nnodes n machine=k\n", ":2: there is no machine k" },
        { "machine m ranks=2\nnodes n\n", ":2: nodes needs machine=" },
        { "machine m ranks=2\nnodes n,n machine=m\n", ":2: there is a node n already" },
        { "machine m ranks=2\nnodes n[1-999999999] machine=m\n", "are more than 65536" },
        { "machine m ranks=2\nnodes n[1-60000][1-60000] machine=m\n", "are more than 65536" },
        { "machine m ranks=2\nnodes n[1-99999999999] machine=m\n", "brackets hold numbers" },
        { "machine m ranks=2\nnodes n[3-1] machine=m\n", "brackets hold numbers" },
        { "machine m ranks=2\nnodes n[1-2 machine=m\n", "'[' without ']'" },
        { "machine m ranks=2\nnodes n1-2] machine=m\n", "']' without '['" },
        { "machine m ranks=2\nnodes n[[1]] machine=m\n", "brackets hold numbers" },
        { "machine m ranks=2\nnodes a,,b machine=m\n", "have an empty name" },
        { "machine m ranks=512\nnodes n[1-65536] machine=m\n", "are more than 8388608" },
        { "machine m ranks=2\nnodes n[1-2] machine=m\n", "2 nodes need a fabric line" },
        { "machine m ranks=2\nnodes n[1-2] machine=m\nfabric f\n", "nic_rate=, or rate= here" },
        { "machine m ranks=2\nnodes n machine=m\nfabric f rate=1 rails=2\n",
          ":3: rails=2 is more than the NICs of machine m, 1" },
        { "machine m ranks=2\nnodes n[1-2] machine=m\n"
          "fabric f rate=1000TB/s uprate=1kB/s nodes_per_leaf=1\n",
          ":3: f would need 1000000000000 cables to a spine" },
        { "machine m ranks=2\nnodes n machine=m\nfabric f rate=1 oversub=0\n",
          "must be from 0.01 to 1000" },
        { "machine m ranks=2\nnodes n machine=m\nfabric f rate=1 nic=1\n", "is not a time" },
        { "machine m ranks=2\nnodes n machine=m\nfabric f rate=1 pxn=maybe\n",
          "\"maybe\" is none of no, yes" },
        { "machine m ranks=2\nnodes n[1-2] machine=m\nfabric f rate=1 nodes_per_leaf=1 spines=0\n",
          "no way leads from n1/cpu0 to n2/cpu0" },
        { "machine m ranks=2\nnodes n machine=m\nnvlink d nodes=n links=1 rate=1\n",
          ":3: node n has no GPUs" },
        { "machine m ranks=2\nnodes n machine=m\nnvlink d nodes=k links=1 rate=1\n",
          ":3: there is no node k" },
        { "machine m ranks=2\nnodes n machine=m\nswitch s\nswitch s\n",
          ":4: there is a switch s already" },
        { "machine m ranks=2\nnodes n machine=m\nlink n:nic0 s\n", ":3: there is no switch s" },
        { "machine m ranks=2\nnodes n machine=m\nswitch s\nlink k:nic0 s\n", "no node k" },
        { "machine m ranks=2\nnodes n machine=m\nswitch s\nlink n:nic1 s\n",
          "machine m has no NIC nic1" },
        { "machine m ranks=2\nnodes n machine=m\nswitch s\nlink n:nic0 s\n", "link needs rate=" },
        { "machine m ranks=2\nnodes n machine=m\nswitch s\nlink s s rate=1\n", "one end of s - s" },
        { "machine m ranks=2\nnodes n machine=m\nswitch s\ndown n:nic0 s\n",
          "between n:nic0 and s are only 0 cables" },
        { "machine m ranks=2\nnodes \033[1m machine=m\n", ":2: is not text" },
        { "machine m topo=none.xml\n", "none.xml: No such file" },
        { "machine m topo=/dev/null\n", "is no hwloc XML" },
        { "<?xml version=\"1.0\"?>\n<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">\n<topology",
          "damaged or cut off" },
        { "<html>\n", "is no hwloc XML" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *why = topofile_wrong(bad[i].text, NULL);
        if (!strstr(why, bad[i].why))
            fail_msg("\"%s\": \"%s\", and not \"%s\"", bad[i].text, why, bad[i].why);
    }
    const char *why;
    assert_null(sp_topo_load("no/such/file", &why));
    assert_non_null(strstr(why, "no/such/file: No such file"));
    assert_null(sp_topo_load("/", &why));
    assert_non_null(strstr(why, "Is a directory"));
}

/* Wherever a file is cut off: it loads, or a sentence says what is wrong. */
static void cut(const char *text)
{
    size_t length = strlen(text), loaded = 0;
    char *part = malloc(length + 1);
    for (size_t n = 0; n < length; n += 50) {
        const char *why = NULL;
        memcpy(part, text, n);
        part[n] = '\0';
        struct sp_topo *t = topofile_load(part, NULL, &why);
        if (!t)
            assert_true(strlen(why) > 8 && !strchr(why, '\n'));
        loaded += t != NULL;
        sp_topo_free(t);
    }
    assert_true(loaded < length / 50);
    free(part);
}

static void test_cut(void **state)
{
    char text[4096];
    (void)state;
    snprintf(text, sizeof text, "%s%s", box, irregular);
    cut(text);
    struct xml x;
    xml_begin(&x, 2);
    xml_host(&x);
    xml_bridge(&x, 1, "8086:352a", 63);
    xml_device(&x, "0302", "10de:26b9", "0000:01:00.0", 63, "cuda0", "");
    xml_close(&x);
    xml_close(&x);
    xml_socket_end(&x);
    xml_socket_end(&x);
    char *xml = xml_end(&x);
    sp_topo_free(topofile_must(xml, NULL));
    cut(xml);
    free(xml);
}

/* ---- size -------------------------------------------------------------------------------- */

static void test_size(void **state)
{
    (void)state;
    struct sp_topo *t = topofile_must("machine m ranks=8 nic_rate=50\nnodes n[0001-4096] machine=m\n"
                                      "fabric f nodes_per_leaf=32 spines=32\n", NULL);
    check_topo(t);
    assert_int_equal(t->nendpoints, 32768);
    sp_topo_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_stripes),
        cmocka_unit_test(test_own_nics),
        cmocka_unit_test(test_rails),
        cmocka_unit_test(test_spines),
        cmocka_unit_test(test_uplinks),
        cmocka_unit_test(test_planes),
        cmocka_unit_test(test_cables),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
