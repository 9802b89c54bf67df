/* test_topo_pitfalls.c - machines' files as they are met: with idle links, fiction, false GPUs
 * and without what matters. Each test is a trap that somebody fell into. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/topofile.h"
#include "topo/topo.h"
#include "topo/units.h"

static const char plain[] = "machine m topo=%s\nnodes n machine=m\n";
static const char h100[] = "10de:2330", l40s[] = "10de:26b9", cx7[] = "15b3:1021";
static const char model[] = "<info name=\"GPUModel\" value=\"NVIDIA H100\"/>";

static double cap(const struct sp_topo *t, int from, int to)
{
    struct sp_route r;
    sp_topo_route(t, from, to, &r);
    return r.cap / 1e9;
}

static enum sp_path_class class(const struct sp_topo *t, int from, int to)
{
    struct sp_route r;
    sp_topo_route(t, from, to, &r);
    return r.class;
}

static const char *name(const struct sp_topo *t, int vertex) { return t->vertex[vertex].name; }

/* A machine of one socket with GPUs at root ports of their own. */
static char *gpus(int n, const char *id, const char *os, int switches)
{
    struct xml x;
    xml_begin(&x, 1);
    for (int i = 0; i < n; i++) {
        char bus[32], names[32];
        snprintf(bus, sizeof bus, "0000:%02x:00.0", 16 + i);
        snprintf(names, sizeof names, "%s%d", os, i);
        xml_host(&x);
        xml_bridge(&x, 1, "8086:352a", 63);
        xml_device(&x, "0302", id, bus, 63, *os ? names : "", *os ? model : "");
        xml_close(&x);
        xml_close(&x);
    }
    for (int i = 0; i < switches; i++) {
        xml_host(&x);
        xml_device(&x, "0680", "10de:22a3", "0000:80:00.0", 0.5, "", "");
        xml_close(&x);
    }
    xml_socket_end(&x);
    return xml_end(&x);
}

/* ---- import ------------------------------------------------------------------------------ */

/* hwloc keeps no devices unless told to; a GPU may have no OS device at all. */
static void test_devices_are_kept(void **state)
{
    char *xml = gpus(2, l40s, "", 0);
    (void)state;
    struct sp_topo *t = topofile_must(plain, xml);
    assert_int_equal(t->machine[0].gpus, 2);
    assert_int_equal(class(t, 0, 1), SP_PATH_HOST);
    assert_float_equal(cap(t, 0, 1), 63, 0.01);
    sp_topo_free(t);
    free(xml);
}

static void test_versions(void **state)
{
    char *xml = gpus(1, l40s, "cuda", 0), *version = strstr(xml, "version=\"2.0\"");
    (void)state;
    version[9] = '3';
    assert_non_null(strstr(topofile_wrong(plain, xml), "XML of hwloc 3, this seqpar has hwloc 2; "
                           "export it for hwloc 2"));
    free(xml);
}

/* hwloc 2.9 takes these for granted, and crashes. */
static void test_crash(void **state)
{
    char *xml = gpus(1, l40s, "cuda", 0), *at = strstr(xml, " complete_cpuset");
    (void)state;
    memcpy(at, " complete_nothing", 16);
    assert_non_null(strstr(topofile_wrong(plain, xml), "the XML makes no sense"));
    free(xml);
}

/* Neither GPUs nor cores. */
static void test_nobody(void **state)
{
    (void)state;
    const char *why = topofile_wrong(plain, "<?xml version=\"1.0\"?>\n<!DOCTYPE topology SYSTEM "
                                     "\"hwloc2.dtd\">\n<topology version=\"2.0\">\n</topology>\n");
    assert_non_null(strstr(why, "hwloc can't read it"));
}

/* nvml0 as a coprocessor, without a subtype. */
static void test_types_of_os_devices(void **state)
{
    struct xml x;
    (void)state;
    xml_begin(&x, 1);
    xml_host(&x);
    xml_device(&x, "0300", "1002:7408", "0000:01:00.0", 32, "rsmi0", "");
    xml_device(&x, "0302", l40s, "0000:02:00.0", 32, "nvml0", model);
    xml_close(&x);
    xml_socket_end(&x);
    char *xml = xml_end(&x);
    struct sp_topo *t = topofile_must(plain, xml);
    assert_int_equal(t->machine[0].gpus, 2);
    sp_topo_free(t);
    free(xml);
}

/* Every server has a console: 0300, but no GPU. GeForces are 0300, too. */
static void test_false_gpus(void **state)
{
    struct xml x;
    (void)state;
    xml_begin(&x, 1);
    xml_host(&x);
    xml_device(&x, "0300", "1002:515e", "0000:01:00.0", 0, "card0", "");
    xml_device(&x, "0300", "1a03:2000", "0000:02:00.0", 0, "", "");
    xml_device(&x, "0300", "10de:2684", "0000:03:00.0", 31.5, "", "");
    xml_close(&x);
    xml_socket_end(&x);
    char *xml = xml_end(&x);
    struct sp_topo *t = topofile_must(plain, xml);
    assert_int_equal(t->machine[0].gpus, 1);
    assert_string_equal(t->machine[0].gpu, "10de:2684");
    sp_topo_free(t);
    free(xml);
}

/* CUDA's numbers count, else the bus. The near NICs tell which GPU is which. */
static void test_order_of_gpus(void **state)
{
    static const struct { const char *os[3]; const char *nic[3]; } cases[] = {
        { { "cuda2", "cuda0", "cuda1" }, { "mlx5_1", "mlx5_2", "mlx5_0" } },
        { { "", "", "" }, { "mlx5_2", "mlx5_0", "mlx5_1" } },
    };
    static const char *const bus[] = { "0000:47:00.0", "0000:87:00.0", "0000:07:00.0" };
    (void)state;
    for (int k = 0; k < 2; k++) {
        struct xml x;
        int nic;
        xml_begin(&x, 1);
        for (int i = 0; i < 3; i++) {
            char os[32];
            snprintf(os, sizeof os, "mlx5_%d", i);
            xml_host(&x);
            xml_bridge(&x, 1, "8086:352a", 63);
            xml_bridge(&x, 2, "1000:c030", 63);
            xml_device(&x, "0302", l40s, bus[i], 63, cases[k].os[i], "");
            xml_device(&x, "0207", cx7, "0000:90:00.0", 63, os, "");
            xml_close(&x);
            xml_close(&x);
            xml_close(&x);
        }
        xml_socket_end(&x);
        char *xml = xml_end(&x);
        struct sp_topo *t = topofile_must(plain, xml);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(sp_topo_nics(t, i, &nic, 1), 1);
            assert_string_equal(strchr(name(t, nic), '/') + 1, cases[k].nic[i]);
        }
        sp_topo_free(t);
        free(xml);
    }
}

/* A GPU and NICs by other names than mlx5; the management port is not for messages. */
static void test_names_of_nics(void **state)
{
    static const char *const names[] = { "rdmap197s0", "hsi0", "hfi1_0", "bxi0", "cxi0" };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct xml x;
        int nic[4];
        xml_begin(&x, 1);
        xml_host(&x);
        xml_device(&x, "0302", l40s, "0000:01:00.0", 32, "cuda0", "");
        xml_device(&x, "0200", "8086:1521", "0000:02:00.0", 1, "eth0", "");
        xml_device(&x, "0200", "1d0f:efa1", "0000:03:00.0", 32, names[i], "");
        xml_close(&x);
        xml_socket_end(&x);
        char *xml = xml_end(&x);
        struct sp_topo *t = topofile_must(plain, xml);
        assert_int_equal(sp_topo_nics(t, 0, nic, 4), 1);
        assert_string_equal(strchr(name(t, nic[0]), '/') + 1, names[i]);
        sp_topo_free(t);
        t = topofile_must("machine m topo=%s nics=eth*\nnodes n machine=m\n", xml);
        assert_int_equal(sp_topo_nics(t, 0, nic, 4), 1);
        assert_string_equal(name(t, nic[0]), "n/eth0");
        sp_topo_free(t);
        assert_non_null(strstr(topofile_wrong("machine m topo=%s nics=ib*\n", xml),
                               "nics=ib* is the name of none of its NICs"));
        free(xml);
    }
}

/* ---- speeds ------------------------------------------------------------------------------ */

/* Two GPUs below one root port and switch each; what their way is capped at. */
static double speed(double root, double up, double down, double gpu, const char *id)
{
    struct xml x;
    xml_begin(&x, 1);
    for (int i = 0; i < 2; i++) {
        xml_host(&x);
        xml_bridge(&x, 1, id, root);
        xml_bridge(&x, 2, id, up);
        xml_bridge(&x, 3, id, down);
        xml_device(&x, "0302", l40s, i ? "0000:01:00.0" : "0000:02:00.0", gpu, "", "");
        xml_close(&x);
        xml_close(&x);
        xml_close(&x);
        xml_close(&x);
    }
    xml_socket_end(&x);
    char *xml = xml_end(&x);
    struct sp_topo *t = topofile_must(plain, xml);
    double got = cap(t, 0, 1);
    sp_topo_free(t);
    free(xml);
    return got;
}

/* Both ends tell of a link, an idle one less; of two links in a row the slower counts. */
static void test_idle_links(void **state)
{
    (void)state;
    assert_float_equal(speed(2.0, 15.75, 15.75, 15.75, "8086:352a"), 15.75, 0.01);
    assert_float_equal(speed(15.75, 15.75, 2.0, 15.75, "8086:352a"), 15.75, 0.01);
    assert_float_equal(speed(15.75, 2.0, 15.75, 2.0, "8086:352a"), 15.75, 0.01);
    assert_float_equal(speed(3.94, 1.97, 15.75, 15.75, "8086:352a"), 3.94, 0.01);
    assert_float_equal(speed(63, 63, 15.75, 31.5, "8086:352a"), 31.5, 0.01);
    assert_float_equal(speed(0, 0, 0, 31.5, "8086:352a"), 31.5, 0.01);
}

static void test_fiction(void **state)
{
    static const char *const emulated[] = { "104c:8232", "1b36:000c", "1d0f:0200" };
    (void)state;
    for (size_t i = 0; i < sizeof emulated / sizeof *emulated; i++)
        assert_float_equal(speed(0.25, 0.25, 0.25, 63, emulated[i]), 63, 0.01);
    assert_float_equal(speed(0.25, 0.25, 0.25, 63, "8086:352a"), 0.25, 0.01);
}

/* A file written without root has no speeds at all. */
static void test_no_speeds(void **state)
{
    struct xml x;
    (void)state;
    xml_begin(&x, 1);
    xml_host(&x);
    xml_device(&x, "0302", l40s, "0000:01:00.0", 0, "", "");
    xml_device(&x, "0302", l40s, "0000:02:00.0", 0, "", "");
    xml_close(&x);
    xml_socket_end(&x);
    char *xml = xml_end(&x);
    assert_non_null(strstr(topofile_wrong(plain, xml), "give it as pcie=32GB/s"));
    struct sp_topo *t = topofile_must("machine m topo=%s pcie=16\nnodes n machine=m\n", xml);
    assert_float_equal(cap(t, 0, 1), 16, 0.01);
    sp_topo_free(t);
    free(xml);
}

/* ---- NVLink ------------------------------------------------------------------------------ */

/* An NVSwitch's PCIe port is slow, and there is no matrix: the model's links count. */
static void test_switches_without_matrix(void **state)
{
    char *xml = gpus(4, h100, "cuda", 4);
    (void)state;
    struct sp_topo *t = topofile_must(plain, xml);
    assert_int_equal(class(t, 0, 3), SP_PATH_NVLINK);
    assert_float_equal(cap(t, 0, 3), 450, 0.01);
    sp_topo_free(t);
    free(xml);
}

/* Hidden, or never written: that must be said, not guessed. */
static void test_missing_nvlink(void **state)
{
    char *xml = gpus(4, "10de:20b0", "cuda", 0);
    (void)state;
    const char *why = topofile_wrong(plain, xml);
    assert_non_null(strstr(why, "no NVLink between its 4 GPUs"));
    assert_non_null(strstr(why, "nvlink=mesh:4x25 (each pair), nvlink=12x25 (switches)"));
    struct sp_topo *t = topofile_must("machine m topo=%s nvlink=mesh:4x25\nnodes n machine=m\n",
                                      xml);
    assert_float_equal(cap(t, 0, 3), 100, 0.01);
    sp_topo_free(t);
    t = topofile_must("machine m topo=%s nvlink=12x25\nnodes n machine=m\n", xml);
    assert_float_equal(cap(t, 0, 3), 300, 0.01);
    sp_topo_free(t);
    t = topofile_must("machine m topo=%s nvlink=none\nnodes n machine=m\n", xml);
    assert_int_equal(class(t, 0, 3), SP_PATH_HOST);
    sp_topo_free(t);
    free(xml);
    xml = gpus(1, "10de:20b0", "cuda", 0);
    sp_topo_free(topofile_must(plain, xml));        /* one alone needs none */
    free(xml);
}

/* Direct links, no switch: hwloc 2.9's own closure makes them all zero. One direction may be
 * unknown. */
static void test_direct_links(void **state)
{
    static const long values[] = { 0, 0, 0, 50000, 0, 25000, 0, 25000, 0 };
    const char *objects[3];
    char text[3][32];
    struct xml x;
    (void)state;
    xml_begin(&x, 1);
    xml_host(&x);
    for (int i = 0; i < 3; i++) {
        char bus[32], os[32];
        snprintf(bus, sizeof bus, "0000:%02x:00.0", 16 + i);
        snprintf(os, sizeof os, "nvml%d", i);
        int gp = xml_device(&x, "0302", "10de:1db1", bus, 15.75, os, "");
        snprintf(text[i], sizeof text[i], "OSDev:%d", gp);
        objects[i] = text[i];
    }
    xml_close(&x);
    xml_socket_end(&x);
    xml_matrix(&x, 3, objects, values);
    char *xml = xml_end(&x);
    struct sp_topo *t = topofile_must(plain, xml);
    assert_float_equal(cap(t, 0, 1), 50, 0.01);
    assert_float_equal(cap(t, 1, 2), 25, 0.01);
    assert_int_equal(class(t, 0, 2), SP_PATH_HOST);
    sp_topo_free(t);
    t = topofile_must("machine m topo=%s nvb=yes\nnodes n machine=m\n", xml);
    assert_int_equal(class(t, 0, 2), SP_PATH_NVLINK);
    assert_float_equal(cap(t, 0, 2), 25, 0.01);
    sp_topo_free(t);
    free(xml);
}

/* 5 + 4 links to two NVSwitches: one number is no multiple of the other. */
static void test_uneven_switches(void **state)
{
    static const long values[] = { 1000000, 0, 125000, 100000, 0, 1000000, 125000, 100000,
                                   125000, 125000, 1000000, 0, 100000, 100000, 0, 1000000 };
    const char *objects[4];
    char text[4][32];
    struct xml x;
    (void)state;
    xml_begin(&x, 1);
    xml_host(&x);
    for (int i = 0; i < 4; i++) {
        char bus[32], os[32];
        snprintf(bus, sizeof bus, "0000:%02x:00.0", 16 + i);
        snprintf(os, sizeof os, "nvml%d", i);
        int gp = xml_device(&x, i < 2 ? "0302" : "0680", i < 2 ? h100 : "10de:22a3", bus, 0.5,
                            i < 2 ? os : "", "");
        snprintf(text[i], sizeof text[i], i < 2 ? "OSDev:%d" : "PCIDev:%d", gp);
        objects[i] = text[i];
    }
    xml_close(&x);
    xml_socket_end(&x);
    xml_matrix(&x, 4, objects, values);
    char *xml = xml_end(&x);
    struct sp_topo *t = topofile_must(plain, xml);
    assert_float_equal(cap(t, 0, 1), 225, 0.01);
    sp_topo_free(t);
    free(xml);
}

/* MIG: several CUDA devices on one GPU are one GPU. */
static void test_partitions(void **state)
{
    struct xml x;
    (void)state;
    xml_begin(&x, 1);
    xml_host(&x);
    xml_device(&x, "0302", h100, "0000:01:00.0", 63, "cuda0,cuda1,nvml0", model);
    xml_close(&x);
    xml_socket_end(&x);
    char *xml = xml_end(&x);
    struct sp_topo *t = topofile_must(plain, xml);
    assert_int_equal(t->nendpoints, 1);
    assert_string_equal(t->machine[0].gpu, "NVIDIA H100");
    sp_topo_free(t);
    free(xml);
}

/* ---- units ------------------------------------------------------------------------------- */

static void test_units(void **state)
{
    static const struct { const char *text; double rate; } good[] = {
        { "50GB/s", 50e9 }, { "50Gb/s", 6.25e9 }, { "400Gb/s", 50e9 }, { "22", 22e9 },
        { "1.8TB/s", 1.8e12 }, { "100Mb/s", 12.5e6 } };
    static const char *const bad[] = { "50gb/s", "50GB", "50 GB/s", "50Gbps", "50GiB/s", "", "-1",
                                       "inf", "nan", "0", "1e9", "0x10", "50GB/sx", "." };
    double value = -1;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_null(sp_parse_rate(good[i].text, &value));
        assert_float_equal(value / good[i].rate, 1, 1e-9);
    }
    value = -1;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_non_null(sp_parse_rate(bad[i], &value));
    assert_true(value == -1);
    assert_non_null(sp_parse_time("1", &value));
    assert_non_null(sp_parse_time("1m", &value));
    assert_null(sp_parse_time("250ns", &value));
    assert_float_equal(value, 250e-9, 1e-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_devices_are_kept),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_crash),
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_types_of_os_devices),
        cmocka_unit_test(test_false_gpus),
        cmocka_unit_test(test_order_of_gpus),
        cmocka_unit_test(test_names_of_nics),
        cmocka_unit_test(test_idle_links),
        cmocka_unit_test(test_fiction),
        cmocka_unit_test(test_no_speeds),
        cmocka_unit_test(test_switches_without_matrix),
        cmocka_unit_test(test_missing_nvlink),
        cmocka_unit_test(test_direct_links),
        cmocka_unit_test(test_uneven_switches),
        cmocka_unit_test(test_partitions),
        cmocka_unit_test(test_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
