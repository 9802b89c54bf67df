/* test_machines.c - the files of topologies/: each loads, with hwloc's smallest parser too, and
 * has what README.md says it has. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topo/inventory.h"
#include "topo/topo.h"

static char folder[4096];

/* What there is of a machine; GB/s of all links of GPU 0, and of all NICs, one direction. */
static const struct golden {
    const char *name;
    int cores, numas, gpus, nics, switches;
    double links, network;
} golden[] = {
    { "a100-pcie-8x", 64, 2, 8, 4, 0, 0, 100 },
    { "aws-p4d", 48, 2, 8, 4, 6, 300, 50 },
    { "aws-p5", 96, 2, 8, 32, 4, 450, 400 },
    { "aws-p5en", 96, 2, 8, 16, 4, 450, 400 },
    { "azure-nd-h100-v5", 96, 2, 8, 8, 4, 450, 400 },
    { "box-2", 2, 1, 0, 1, 0, 0, 0.125 },
    { "dgx-1v", 40, 2, 8, 4, 0, 150, 50 },
    { "dgx-a100", 128, 8, 8, 8, 6, 300, 200 },
    { "dgx-h100", 112, 2, 8, 8, 4, 450, 400 },
    { "gb200-tray", 144, 2, 4, 4, 0, 0, 200 },
    { "gb300-tray", 144, 2, 4, 4, 0, 0, 400 },
    { "hgx-a100-4nic", 64, 2, 8, 4, 6, 300, 100 },
    { "hgx-a800", 64, 2, 8, 8, 6, 200, 200 },
    { "hgx-a800-4nic", 64, 2, 8, 4, 6, 200, 100 },
    { "hgx-b200", 112, 2, 8, 8, 2, 900, 400 },
    { "hgx-h20", 112, 2, 8, 8, 4, 450, 400 },
    { "hgx-h200", 112, 2, 8, 8, 4, 450, 400 },
    { "hgx-h800", 112, 2, 8, 8, 4, 200, 400 },
    { "l20-8x", 64, 2, 8, 2, 0, 0, 50 },
    { "l40s-8x", 64, 2, 8, 4, 0, 0, 100 },
    { "laptop-8", 8, 1, 0, 1, 0, 0, 0.125 },
    { "leonardo", 32, 1, 4, 4, 0, 300, 50 },
    { "mi300x-8x", 112, 2, 8, 8, 0, 448, 400 },
    { "rtx4090d-8x", 64, 2, 8, 2, 0, 0, 50 },
};

enum { NGOLDEN = sizeof golden / sizeof *golden };

static const struct { const char *name; int nodes, endpoints; } clusters[] = {
    { "cpu-2x1.cluster", 2, 2 }, { "cpu-2x2.cluster", 2, 4 },
    { "dgx-a100-2.cluster", 2, 16 }, { "dgx-h100-1.cluster", 1, 8 },
    { "dgx-h100-128.cluster", 128, 1024 }, { "gb200-tray-1.cluster", 1, 4 },
    { "hgx-a800-8.cluster", 8, 64 }, { "hgx-h200-32-2to1.cluster", 32, 256 },
    { "l40s-1.cluster", 1, 8 }, { "nvl72.cluster", 18, 72 },
    { "nvl72-8racks.cluster", 144, 576 }, { "rtx4090d-1.cluster", 1, 8 },
    { "dgx-h100.xml", 1, 8 }, { "laptop-8.xml", 1, 8 }, { "box-2.xml", 1, 2 },
};

static const char *path_of(const char *name, const char *end)
{
    static char path[sizeof folder + 300];
    snprintf(path, sizeof path, "%s/%.200s%s", folder, name, end);
    return path;
}

static const struct golden *golden_of(const char *file)
{
    for (int i = 0; i < NGOLDEN; i++)
        if (!strncmp(file, golden[i].name, strlen(golden[i].name))
            && !strcmp(file + strlen(golden[i].name), ".xml"))
            return &golden[i];
    return NULL;
}

static bool ends(const char *name, const char *end)
{
    size_t n = strlen(name);
    return n > strlen(end) && !strcmp(name + n - strlen(end), end);
}

static struct sp_inventory *read_machine(const char *path)
{
    const char *why;
    struct sp_inventory *v = sp_inventory_read(path, &why);
    if (!v && strstr(why, "built without"))
        skip();
    if (!v)
        fail_msg("%s", why);
    return v;
}

static void check_machine(const struct golden *g)
{
    struct sp_inventory *v = read_machine(path_of(g->name, ".xml"));
    int n[4] = { 0 }, first = -1;
    double network = 0, links = 0;
    for (int i = 0; i < v->ndevices; i++) {
        n[v->device[i].kind]++;
        if (v->device[i].kind == SP_DEVICE_NIC)
            network += v->device[i].rate;
        if (v->device[i].kind == SP_DEVICE_GPU && v->device[i].order == 0)
            first = i;
        if (v->device[i].kind == SP_DEVICE_GPU)
            assert_string_not_equal(v->device[i].model, "");
    }
    for (int i = 0; i < v->npairs; i++)
        if (v->pair[i].from == first || v->pair[i].to == first)
            links += v->pair[i].rate;
    if (v->cores != g->cores || v->nnuma != g->numas || n[SP_DEVICE_GPU] != g->gpus
        || n[SP_DEVICE_NIC] != g->nics || n[SP_DEVICE_NVSWITCH] != g->switches
        || fabs(links / 1e9 - g->links) > 1e-6 || fabs(network / 1e9 - g->network) > 1e-6)
        fail_msg("%s: %d cores, %d NUMA, %d GPUs, %d NICs, %d switches, links %g, network %g",
                 g->name, v->cores, v->nnuma, n[SP_DEVICE_GPU], n[SP_DEVICE_NIC],
                 n[SP_DEVICE_NVSWITCH], links / 1e9, network / 1e9);
    sp_inventory_free(v);
}

static void test_machines(void **state)
{
    (void)state;
    for (int i = 0; i < NGOLDEN; i++)
        check_machine(&golden[i]);
}

/* A file that isn't in the table would not be checked. */
static void test_table_is_whole(void **state)
{
    (void)state;
    int files = 0;
    DIR *all = opendir(folder);
    assert_non_null(all);
    for (struct dirent *d; (d = readdir(all));)
        if (ends(d->d_name, ".xml")) {
            if (!golden_of(d->d_name))
                fail_msg("%s is not in the golden table", d->d_name);
            files++;
        }
    closedir(all);
    assert_int_equal(files, NGOLDEN);
}

static struct sp_topo *load(const char *path)
{
    const char *why;
    struct sp_topo *t = sp_topo_load(path, &why);
    if (!t)
        fail_msg("%s", why);
    return t;
}

static void test_clusters_load(void **state)
{
    (void)state;
    sp_inventory_free(read_machine(path_of("box-2", ".xml")));
    DIR *all = opendir(folder);
    assert_non_null(all);
    for (struct dirent *d; (d = readdir(all));)
        if (ends(d->d_name, ".cluster"))
            sp_topo_free(load(path_of(d->d_name, "")));
    closedir(all);
}

static void test_clusters_count(void **state)
{
    (void)state;
    sp_inventory_free(read_machine(path_of("box-2", ".xml")));
    for (size_t i = 0; i < sizeof clusters / sizeof *clusters; i++) {
        struct sp_topo *t = load(path_of(clusters[i].name, ""));
        if (t->nnodes != clusters[i].nodes || t->nendpoints != clusters[i].endpoints)
            fail_msg("%s: %d nodes, %d endpoints", clusters[i].name, t->nnodes, t->nendpoints);
        sp_topo_free(t);
    }
}

/* From the first endpoint of a cluster to another: what a message can reach, GB/s. */
static void test_routes(void **state)
{
    static const struct { const char *name; int to; enum sp_path_class class; double cap; }
    known[] = {
        { "dgx-h100-2.cluster", 1, SP_PATH_NVLINK, 450 },
        { "dgx-h100-2.cluster", 8, SP_PATH_NET, 50 },
        { "hgx-a800-8.cluster", 7, SP_PATH_NVLINK, 200 },
        { "hgx-a800-8.cluster", 63, SP_PATH_NET, 25 },
        { "hgx-h800-200g-2.cluster", 8, SP_PATH_NET, 25 },
        { "aws-p5-2.cluster", 8, SP_PATH_NET, 50 },
        { "nvl72.cluster", 71, SP_PATH_NVLINK, 900 },
        { "gb200-tray-1.cluster", 3, SP_PATH_NVLINK, 900 },
        { "mi300x-8x.xml", 5, SP_PATH_NVLINK, 64 },
        { "leonardo.xml", 3, SP_PATH_NVLINK, 100 },
        { "l40s-1.cluster", 1, SP_PATH_PCIE, 31.508 },
        { "l40s-1.cluster", 7, SP_PATH_HOST, 22 },
        { "rtx4090d-1.cluster", 1, SP_PATH_HOST, 31.508 },
        { "cpu-2x2.cluster", 2, SP_PATH_NET, 0.125 },
    };
    (void)state;
    sp_inventory_free(read_machine(path_of("box-2", ".xml")));
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct sp_topo *t = load(path_of(known[i].name, ""));
        struct sp_route r;
        sp_topo_route(t, 0, known[i].to, &r);
        if (r.class != known[i].class || fabs(r.cap / 1e9 - known[i].cap) > 1e-3)
            fail_msg("%s to %d: %s, %g GB/s", known[i].name, known[i].to, sp_path_names[r.class],
                     r.cap / 1e9);
        sp_topo_free(t);
    }
}

int main(void)
{
    const char *top = getenv("srcdir");
    snprintf(folder, sizeof folder, "%.3000s/topologies", top ? top : ".");
    setenv("HWLOC_LIBXML", "0", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_machines),
        cmocka_unit_test(test_table_is_whole),
        cmocka_unit_test(test_clusters_load),
        cmocka_unit_test(test_clusters_count),
        cmocka_unit_test(test_routes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
