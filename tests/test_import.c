/* test_import.c - NCCL topologies become machines; what makes no sense, a sentence. */
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
#include <unistd.h>

#include "tests/imported.h"
#include "topo/xml.h"

static void need_expat(void)
{
    if (!sp_xml_built())
        skip();
}

static struct sp_inventory *import_sample(const char *name)
{
    size_t bytes;
    char *text = read_sample(name, &bytes);
    struct result r = import(sp_import_nccl, text, bytes, NULL, 0);
    if (r.why)
        fail_msg("%s: %s", name, r.why);
    struct sp_inventory *v = look(r.out);
    release(&r);
    free(text);
    return v;
}

static const struct sp_device *named(const struct sp_inventory *v, const char *name)
{
    for (int i = 0; i < v->ndevices; i++)
        if (!strcmp(v->device[i].names, name))
            return &v->device[i];
    fail_msg("no device %s", name);
    return NULL;
}

static int count(const struct sp_inventory *v, enum sp_device_kind kind)
{
    int n = 0;
    for (int i = 0; i < v->ndevices; i++)
        n += v->device[i].kind == kind;
    return n;
}

static const struct sp_device *gpu(const struct sp_inventory *v, int order)
{
    for (int i = 0; i < v->ndevices; i++)
        if (v->device[i].kind == SP_DEVICE_GPU && v->device[i].order == order)
            return &v->device[i];
    fail_msg("no GPU %d", order);
    return NULL;
}

static void test_nvswitch(void **state)
{
    (void)state;
    need_expat();
    struct sp_inventory *v = import_sample("nvswitch.xml");
    assert_int_equal(v->nnuma, 2);
    assert_int_equal(v->cores, 8);
    assert_int_equal(count(v, SP_DEVICE_GPU), 2);
    assert_int_equal(count(v, SP_DEVICE_NVSWITCH), 1);
    assert_int_equal(count(v, SP_DEVICE_NIC), 2);           /* eth0 once, though listed twice */
    assert_float_equal(named(v, "mlx5_0")->rate, 50e9, 1);  /* both ports */
    assert_true(named(v, "mlx5_0")->fast);
    assert_false(named(v, "eth0")->fast);
    assert_string_equal(gpu(v, 1)->bus, "0000:1b:00.0");
    assert_int_equal(gpu(v, 1)->numa, 0);
    assert_int_equal(gpu(v, 0)->numa, 1);
    assert_string_equal(gpu(v, 0)->model, "NVIDIA H100 80GB HBM3");
    assert_int_equal(v->npairs, 2);                         /* not the link to itself */
    for (int i = 0; i < 2; i++)
        assert_float_equal(v->pair[i].rate, 450e9, 1);
    sp_inventory_free(v);
}

/* Ports that NCCL hides are put back, with the speeds of what they lead to; an emulated
 * switch has none. */
static void test_ports(void **state)
{
    (void)state;
    need_expat();
    struct sp_inventory *v = import_sample("nvswitch.xml");
    const struct sp_device *at = gpu(v, 1);
    for (int depth = 3; depth >= 1; depth--) {
        at = &v->device[at->parent];
        assert_int_equal(at->depth, depth);
        assert_float_equal(at->speed, 63.015e9, 1e6);
    }
    assert_int_equal(at->parent, -1);
    at = &v->device[v->device[gpu(v, 0)->parent].parent];
    assert_int_equal(at->vendor, 0x104c);
    assert_float_equal(at->speed, 0, 0);
    sp_inventory_free(v);
}

static void test_xgmi(void **state)
{
    (void)state;
    need_expat();
    struct sp_inventory *v = import_sample("xgmi.xml");
    assert_int_equal(v->npairs, 1);
    assert_true(v->pair[0].xgmi);
    assert_float_equal(v->pair[0].rate, 128e9, 1);
    assert_float_equal(gpu(v, 1)->speed, 0, 0);             /* width 0: not known */
    assert_int_equal(count(v, SP_DEVICE_NIC), 1);
    sp_inventory_free(v);
}

static void test_c2c(void **state)
{
    (void)state;
    need_expat();
    struct sp_inventory *v = import_sample("c2c.xml");
    assert_int_equal(v->npairs, 1);
    assert_int_equal(v->pair[0].to, -1);                    /* the processor */
    assert_float_equal(v->pair[0].rate, 345e9, 1);
    sp_inventory_free(v);
}

#define SYSTEM(inside) "<system version=\"1\"><cpu numaid=\"0\">" inside "</cpu></system>"
#define GPU(inside) SYSTEM("<pci busid=\"0000:01:00.0\" class=\"0x030200\">" inside "</pci>")

static void test_nccl_refused(void **state)
{
    static const struct { const char *text, *words; } bad[] = {
        { "", "not XML" },
        { "<system", "not XML" },
        { "<topology/>", "begins with <topology>, not with <system>" },
        { "<graphs/>", "NCCL_TOPO_DUMP_FILE" },
        { "<system/>", "no <cpu>" },
        { SYSTEM("<pci busid=\"0000:01:00.0\"/>"), "given:1: pci has no class" },
        { SYSTEM("<pci class=\"what\"/>"), "class=\"what\" must be a number" },
        { GPU("<gpu dev=\"-1\"/>"), "dev=\"-1\" must be" },
        { GPU("<gpu dev=\"0\" sm=\"999\"><nvlink target=\"x\" tclass=\"0x068000\"/></gpu>"),
          "sm=\"999\": the rate of its NVLinks is not known" },
        { GPU("<gpu dev=\"0\" sm=\"90\"><nvlink count=\"2\"/></gpu>"), "nvlink has no target" },
        { GPU("<gpu dev=\"0\" sm=\"90\"><nvlink target=\"x\" count=\"99\"/></gpu>"),
          "count=\"99\" must be a number from 1 to 64" },
        { GPU("<gpu dev=\"0\" gcn=\"7\"><xgmi target=\"x\"/></gpu>"), "xGMI links is not known" },
        { "<system><cpu numaid=\"0\" host_hash=\"0xa\"/><cpu numaid=\"0\" host_hash=\"0xb\"/>"
          "</system>", "a second host" },
        { SYSTEM("<pci class=\"0x030200\"/><pci class=\"0x030200\"><gpu dev=\"0\"/></pci>"),
          "a second GPU with dev=\"0\"" },
        { SYSTEM("<nic><net speed=\"1\"/></nic>"), "net has no name" },
        { "<!DOCTYPE a [<!ENTITY b \"bb\">]><system/>", "declares the entity b" },
        { "<!DOCTYPE a [<!ENTITY b SYSTEM \"/etc/passwd\">]><system>&b;</system>", "entity b" },
    };
    (void)state;
    need_expat();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_refused(sp_import_nccl, bad[i].text, bad[i].words);
}

/* Azure's files have links from a GPU to itself: no links at all. */
static void test_no_links(void **state)
{
    static const char text[] = GPU("<gpu dev=\"0\" sm=\"80\"><nvlink target=\"0000:01:00.0\" "
                                   "count=\"12\" tclass=\"0x030200\"/></gpu>");
    (void)state;
    need_expat();
    struct result r = import(sp_import_nccl, text, strlen(text), NULL, 0);
    assert_null(r.why);
    assert_null(strstr(r.out, "NVLinkBandwidth"));
    assert_non_null(strstr(r.notes, "no links between GPUs are in given"));
    release(&r);
}

/* ---- bounds ----------------------------------------------------------------------------- */

static void test_bounds(void **state)
{
    (void)state;
    need_expat();
    enum { BYTES = 1 << 20 };
    char *text = malloc(BYTES), *at = text;
    for (int i = 0; i < 1000; i++)
        at += sprintf(at, "<system>");
    expect_refused(sp_import_nccl, text, "deeper than 64");
    at = text + sprintf(text, "<system>");
    for (int i = 0; i < 9000; i++)
        at += sprintf(at, "<cpu/>");
    expect_refused(sp_import_nccl, text, "more than 8192 elements");
    at = text + sprintf(text, "<system><cpu>");
    for (int i = 0; i < 2001; i++)
        at += sprintf(at, "<pci class=\"0x020000\"/>");
    sprintf(at, "</cpu></system>");
    expect_refused(sp_import_nccl, text, "more than 2000 devices");
    memset(text, 'f', BYTES);
    memcpy(text, "<system><cpu affinity=\"", 23);
    strcpy(text + 600000, "\"/></system>");
    expect_refused(sp_import_nccl, text, "a word of more than 1024 bytes");
    free(text);
}

/* A sparse file: two H100, but who is to know? What it is must be said. */
static void test_nothing_said(void **state)
{
#define H100(bus) "<pci busid=\"" bus "\" class=\"0x030200\" link_speed=\"32.0 GT/s PCIe\" " \
                  "link_width=\"16\"/>"
    static const char text[] = SYSTEM(H100("0001:00:00.0") H100("0002:00:00.0"));
    const char *why;
    (void)state;
    need_expat();
    struct result r = import(sp_import_nccl, text, strlen(text), NULL, 0);
    assert_null(r.why);
    sp_inventory_free(look(r.out));
    FILE *file = fopen("test_import.xml", "w");
    fputs(r.out, file);
    fclose(file);
    assert_null(sp_topo_load("test_import.xml", &why));
    unlink("test_import.xml");
    assert_non_null(strstr(why, "neither the model of its 2 GPUs nor links between them"));
    release(&r);
}

/* ---- real files, which not everybody has ---------------------------------------------- */

static const struct {
    const char *name, *refused;
    int numas, gpus, nics, switches, pairs;
    double links, network;      /* GB/s, of all */
} real[] = {
    { "aws-g5.48xl-topo.xml", "NCCL_TOPO_DUMP_FILE" },
    { "aws-p5.48xl-topo.removed.xml", "NCCL_TOPO_DUMP_FILE" },
    { "azure-ncv4-graph.xml", "is an NCCL graph" },
    { "aws-p4d-24xl-topo.xml", NULL, 2, 8, 4, 0, 0, 0, 0 },
    { "aws-p4de-24xl-topo.xml", NULL, 2, 8, 4, 0, 0, 0, 0 },
    { "aws-p5-autogen.partial.xml", NULL, 1, 1, 1, 4, 4, 450, 50 },
    { "azure-ncv4-topo.xml", NULL, 4, 4, 1, 0, 0, 0, 12.5 },
    { "azure-ndv2-topo.xml", NULL, 2, 8, 1, 0, 0, 0, 0 },
    { "azure-ndv5-topo.xml", NULL, 2, 8, 8, 0, 0, 0, 0 },
    { "kvm-h200-passthrough.partial.xml", NULL, 1, 1, 1, 1, 1, 450, 50 },
    { "nvidia-dgx-spark-gb10.xml", NULL, 1, 1, 2, 0, 1, 345, 2.5 },
    { "rccl-topo_16p1h.xml", NULL, 4, 16, 8, 0, 28, 2800, 200 },
    { "rccl-topo_4p_940.xml", NULL, 4, 4, 4, 0, 6, 384, 0 },
    { "rccl-topo_8p_4nics.xml", NULL, 4, 8, 4, 0, 12, 552, 100 },
    { "rccl-topo_8p_90a_1.xml", NULL, 3, 8, 1, 0, 12, 600, 0.125 },
    { "rccl-topo_8p_940.xml", NULL, 2, 8, 8, 0, 28, 1792, 400 },
    { "rccl-topo_8p_940vm.xml", NULL, 2, 8, 8, 0, 28, 1792, 400 },
    { "rccl-topo_8p_pcie.xml", NULL, 1, 8, 1, 0, 0, 0, 12.5 },
    { "rccl-topo_8p_rome_4n_2.xml", NULL, 4, 8, 4, 0, 12, 552, 50 },
    { "supermicro-h200-baremetal.partial.xml", NULL, 1, 3, 3, 4, 12, 1350, 150 },
};

static void check_real(size_t i, const char *folder)
{
    char path[4600];
    size_t bytes;
    snprintf(path, sizeof path, "%s/%s", folder, real[i].name);
    char *text = read_file(path, &bytes);
    struct result r = import(sp_import_nccl, text, bytes, NULL, 0);
    free(text);
    if (real[i].refused) {
        if (!r.why || !strstr(r.why, real[i].refused))
            fail_msg("%s: %s", real[i].name, r.why ? r.why : "imported");
        release(&r);
        return;
    }
    if (r.why)
        fail_msg("%s", r.why);
    struct sp_inventory *v = look(r.out);
    double links = 0, network = 0;
    for (int k = 0; k < v->npairs; k++)
        links += v->pair[k].rate / 1e9;
    for (int k = 0; k < v->ndevices; k++)
        network += v->device[k].kind == SP_DEVICE_NIC ? v->device[k].rate / 1e9 : 0;
    if (v->nnuma != real[i].numas || count(v, SP_DEVICE_GPU) != real[i].gpus
        || count(v, SP_DEVICE_NIC) != real[i].nics || v->npairs != real[i].pairs
        || count(v, SP_DEVICE_NVSWITCH) != real[i].switches
        || fabs(links - real[i].links) > 1e-6 || fabs(network - real[i].network) > 1e-6)
        fail_msg("%s: %d NUMA nodes, %d GPUs, %d NICs, %d switches, %d pairs, links %g, "
                 "network %g", real[i].name, v->nnuma, count(v, SP_DEVICE_GPU),
                 count(v, SP_DEVICE_NIC), count(v, SP_DEVICE_NVSWITCH), v->npairs, links, network);
    sp_inventory_free(v);
    release(&r);
}

static void test_real_nccl(void **state)
{
    (void)state;
    need_expat();
    if (!shared("data/nccl-xml"))
        skip();
    char *folder = strdup(shared("data/nccl-xml"));
    int files = 0;
    DIR *all = opendir(folder);
    for (struct dirent *d; (d = readdir(all));)
        files += strstr(d->d_name, ".xml") != NULL;
    closedir(all);
    assert_int_equal(files, sizeof real / sizeof *real);
    for (size_t i = 0; i < sizeof real / sizeof *real; i++)
        check_real(i, folder);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nvswitch),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_xgmi),
        cmocka_unit_test(test_c2c),
        cmocka_unit_test(test_nccl_refused),
        cmocka_unit_test(test_no_links),
        cmocka_unit_test(test_nothing_said),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_real_nccl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
