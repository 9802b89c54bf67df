/* test_import.c - what other tools wrote becomes topologies; what makes no sense, a sentence. */
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

#include "topo/import.h"
#include "topo/inventory.h"
#include "topo/topo.h"
#include "topo/xml.h"

static const char *top;         /* of the source */

/* ---- running an importer --------------------------------------------------------------- */

struct result { const char *why; char *out, *notes; size_t out_bytes, notes_bytes; };

static const struct sp_import_machine box = { "box.xml", NULL };

static struct result import(const char *(*run)(const struct sp_import *), const char *text,
                            size_t bytes, const struct sp_import_machine *machine, int n)
{
    struct result r = { 0 };
    struct sp_import job = {
        .in = bytes ? fmemopen((void *)(uintptr_t)text, bytes, "r") : fopen("/dev/null", "r"),
        .path = "given", .name = "two-leaves", .machine = machine, .nmachines = n,
        .out = open_memstream(&r.out, &r.out_bytes),
        .notes = open_memstream(&r.notes, &r.notes_bytes) };
    r.why = run(&job);
    fclose(job.in);
    fclose(job.out);
    fclose(job.notes);
    return r;
}

static void release(struct result *r)
{
    free(r->out);
    free(r->notes);
}

static char *read_file(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("cannot read %s", path);
    char *text = malloc(1 << 22);
    *bytes = fread(text, 1, (1 << 22) - 1, file);
    text[*bytes] = '\0';
    fclose(file);
    return text;
}

static char *sample(const char *name, size_t *bytes)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/tests/topo/%s", top, name);
    return read_file(path, bytes);
}

static void expect_refused(const char *(*run)(const struct sp_import *), const char *text,
                           const char *words)
{
    struct result r = import(run, text, strlen(text), &box, 1);
    if (!r.why || !strstr(r.why, words))
        fail_msg("\"%s\" has no '%s'", r.why ? r.why : "imported", words);
    release(&r);
}

/* ---- NCCL ------------------------------------------------------------------------------- */

static void need_expat(void)
{
    if (!sp_xml_built())
        skip();
}

/* What hwloc has to say about XML; skips where there is no hwloc. */
static struct sp_inventory *look(const char *xml)
{
    char path[] = "test_import.XXXXXX";
    const char *why;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, xml, strlen(xml)), strlen(xml));
    close(fd);
    struct sp_inventory *v = sp_inventory_read(path, &why);
    unlink(path);
    if (!v && strstr(why, "without hwloc"))
        skip();
    if (!v)
        fail_msg("%s", why);
    return v;
}

static struct sp_inventory *import_sample(const char *name)
{
    size_t bytes;
    char *text = sample(name, &bytes);
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

/* Anything but a crash, a hang or a leak; and a sentence where it is refused. */
static void survives(const char *(*run)(const struct sp_import *), const char *text,
                     size_t bytes, const struct sp_import_machine *machine)
{
    struct result r = import(run, text, bytes, machine, 1);
    if (r.why)
        assert_true(strlen(r.why) > 10);
    release(&r);
}

static const struct { const char *name; const char *(*run)(const struct sp_import *); }
samples[] = {
    { "nvswitch.xml", sp_import_nccl }, { "xgmi.xml", sp_import_nccl },
    { "two-leaves.ib", sp_import_ib }, { "tree.conf", sp_import_slurm },
};

static void test_cut_off(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        size_t bytes;
        char *text = sample(samples[i].name, &bytes);
        for (size_t n = 0; n < bytes; n += i < 2 ? 50 : 7) {
            char *part = malloc(n + 1);             /* its end is where ASan sees it */
            memcpy(part, text, n);
            survives(samples[i].run, part, n, &box);
            free(part);
        }
        free(text);
    }
}

static void test_damaged(void **state)
{
    (void)state;
    unsigned seed = 1;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        size_t bytes;
        char *text = sample(samples[i].name, &bytes);
        for (int round = 0; round < 200; round++) {
            char *copy = malloc(bytes + 1);
            memcpy(copy, text, bytes + 1);
            for (int k = 0; k < 3; k++) {
                seed = seed * 1103515245 + 12345;
                copy[seed / 65536 % bytes] = "\"<>0=9-[],:\n\xff x"[seed / 7 % 14];
            }
            survives(samples[i].run, copy, bytes, &box);
            free(copy);
        }
        free(text);
    }
}

/* ---- ibnetdiscover ---------------------------------------------------------------------- */

static void test_ib(void **state)
{
    (void)state;
    size_t bytes, golden_bytes;
    char *text = sample("two-leaves.ib", &bytes);
    char *golden = sample("two-leaves.cluster", &golden_bytes);
    struct sp_import_machine ours = { "box.xml", "n[01-02]" };
    struct result r = import(sp_import_ib, text, bytes, &ours, 1);
    if (r.why)
        fail_msg("%s", r.why);
    assert_string_equal(r.out, golden);
    assert_non_null(strstr(r.notes, "1 adapters have no name of a host"));
    assert_non_null(strstr(r.notes, "1 adapters are of hosts that no --machine names"));
    assert_non_null(strstr(r.notes, "1 adapters have the name of another"));
    release(&r);
    free(golden);
    free(text);
}

static void test_ib_refused(void **state)
{
    static const struct { const char *text, *words; } bad[] = {
        { "", "has no switch" },
        { "hello\n", "has no switch" },
        { "Switch\t65 S-01\n", "given:1: a switch is written as" },
        { "Switch 1 \"S-1\" # \"a\"\n[1] \"H-2\"[1] # \"n mlx5_0\" lid 1 4xWHAT\n",
          "given:2: a port is written as" },
        { "Switch 1 \"S-1\" # \"a\"\n[1]\n", "given:2: a port" },
        { "Switch 1 \"S-1\" # \"a\"\nSwitch 1 \"S-1\" # \"b\"\n", "S-1 for the second time" },
        { "Switch 1 \"S-1\" # \"a\"\n[1] \"H-2\"[1] # \"MT4129\" lid 1 4xNDR\n",
          "no adapter of a host" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_refused(sp_import_ib, bad[i].text, bad[i].words);
    struct sp_import_machine two[] = { { "a.xml", NULL }, { "b.xml", NULL } };
    struct result r = import(sp_import_ib, "x", 1, two, 2);
    assert_non_null(strstr(r.why, "add @HOSTLIST"));
    release(&r);
    two[0].hosts = "n[1-3";
    r = import(sp_import_ib, "x", 1, two, 1);
    assert_non_null(strstr(r.why, "--machine: hosts"));
    release(&r);
}

/* ---- Slurm ------------------------------------------------------------------------------ */

/* A machine of topologies/. */
static struct sp_import_machine machine(const char *name)
{
    static char path[4200];
    snprintf(path, sizeof path, "%s/topologies/%s.xml", top, name);
    return (struct sp_import_machine){ path, NULL };
}

static struct result import_slurm(const char *text, const char *name)
{
    struct sp_import_machine m = machine(name);
    struct result r = import(sp_import_slurm, text, strlen(text), &m, 1);
    if (r.why && strstr(r.why, "without hwloc"))
        skip();
    return r;
}

/* What an importer made can be loaded. */
static struct sp_topo *load(const char *text)
{
    char path[] = "test_import.XXXXXX";
    const char *why;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    struct sp_topo *t = sp_topo_load(path, &why);
    unlink(path);
    if (!t && strstr(why, "without hwloc"))
        skip();
    if (!t)
        fail_msg("%s", why);
    return t;
}

static void test_slurm_tree(void **state)
{
    (void)state;
    size_t bytes;
    char *text = sample("tree.conf", &bytes);
    struct result r = import_slurm(text, "box-2");
    if (r.why)
        fail_msg("%s", r.why);
    assert_non_null(strstr(r.out, "nodes   a[1-2],b[1-2] machine=box-2\n"));
    assert_non_null(strstr(r.out, "switch  leaf1 tier=leaf\nswitch  leaf2 tier=leaf\n"
                                  "switch  top tier=spine\n"));
    assert_non_null(strstr(r.out, "link    leaf1 b1:eth0 rate=1Gb/s\n"
                                  "link    leaf1 top count=3 rate=1Gb/s\n"
                                  "link    leaf2 b2:eth0 rate=1Gb/s\n"
                                  "link    leaf2 top count=1 rate=1Gb/s\n"));
    assert_non_null(strstr(r.notes, "as many as lead down are assumed"));
    struct sp_topo *t = load(r.out);
    assert_int_equal(t->nnodes, 4);
    sp_topo_free(t);
    release(&r);
    free(text);
}

static void test_slurm_blocks(void **state)
{
    static const char text[] = "BlockName=b1 Nodes=t[1-18]\nBlockName=b2 Nodes=u[1-18]\n"
                               "BlockSizes=18\n";
    (void)state;
    struct result r = import_slurm(text, "gb200-tray");
    if (r.why)
        fail_msg("%s", r.why);
    assert_non_null(strstr(r.out, "nvlink  b1 nodes=t[1-18] links=18 rate=50GB/s\n"
                                  "nvlink  b2 nodes=u[1-18] links=18 rate=50GB/s\n"));
    struct sp_topo *t = load(r.out);
    assert_int_equal(t->nendpoints, 144);
    sp_topo_free(t);
    release(&r);
    r = import_slurm(text, "dgx-h100");             /* its links are all within */
    assert_null(r.why);
    assert_null(strstr(r.out, "nvlink "));
    assert_non_null(strstr(r.notes, "block b1 is left out"));
    release(&r);
}

static void test_slurm_refused(void **state)
{
    static const struct { const char *text, *words; } bad[] = {
        { "", "neither SwitchName nor BlockName" },
        { "SwitchName=a\n", "switch a must have either Nodes or Switches" },
        { "SwitchName=a Nodes=n1 Switches=b\n", "either Nodes or Switches" },
        { "Nodes=n1\n", "given:1: neither SwitchName" },
        { "\n\\\nSwitchName=a Nodes=n[1-\n", "given:2: hosts" },
        { "SwitchName=a Switches=b\n", "there is no switch b" },
        { "SwitchName=a Nodes=n1\nSwitchName=a Nodes=n2\n", "a for the second time" },
        { "SwitchName=a Switches=b\nSwitchName=b Switches=a\n", "in a circle" },
        { "SwitchName=a Switches=b\nSwitchName=b Switches=c\nSwitchName=c Switches=b\n",
          "is below two others" },
        { "SwitchName=a Nodes=\n", "Nodes has no value" },
        { "SwitchName=a Pods=n1\n", "Pods is none of SwitchName" },
        { "hello\n", "\"hello\" must be KEY=VALUE" },
        { "BlockName=a Switches=b\n", "block a has no Nodes" },
        { "SwitchName=a\"b Nodes=n1\n", "names have letters" },
        { "SwitchName=a Nodes=n:1\n", "names have letters" },
        { "SwitchName=a Nodes=n[1-60000],m[1-60000]\n", "are more than 65536" },
        { "SwitchName=a Nodes=n[1-60000]\nSwitchName=b Nodes=m[1-60000]\n"
          "SwitchName=c Nodes=o[1-60000]\nSwitchName=d Nodes=p[1-60000]\n"
          "SwitchName=e Nodes=q[1-60000]\n", "more than 262144 hosts" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_refused(sp_import_slurm, bad[i].text, bad[i].words);
}

/* ---- real files, which not everybody has ------------------------------------------------ */

static const char *shared(const char *name)
{
    static char path[4200];
    const char *folder = getenv("SHARED");
    if (folder)
        snprintf(path, sizeof path, "%s/%s", folder, name);
    else
        snprintf(path, sizeof path, "%s/../shared/%s", top, name);
    if (access(path, R_OK))
        skip();
    return path;
}

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
    const char *folder = strdup(shared("data/nccl-xml"));
    int files = 0;
    DIR *all = opendir(folder);
    for (struct dirent *d; (d = readdir(all));)
        files += strstr(d->d_name, ".xml") != NULL;
    closedir(all);
    assert_int_equal(files, sizeof real / sizeof *real);
    for (size_t i = 0; i < sizeof real / sizeof *real; i++)
        check_real(i, folder);
    free((void *)(uintptr_t)folder);
}

static int count_words(const char *text, const char *word)
{
    int n = 0;
    for (; (text = strstr(text, word)); text++)
        n++;
    return n;
}

/* Eight racks of four rails: a leaf for each (one is not in the dump), two cables from every
 * leaf to each of nine spines but a few; and it loads. */
static void test_real_ib(void **state)
{
    (void)state;
    size_t bytes;
    char *text = read_file(shared("data/fabric/topograph-ibnetdiscover-example.out"), &bytes);
    struct sp_import_machine host = machine("hgx-h200");     /* has mlx5_0, 1, 4, 5 too */
    struct result r = import(sp_import_ib, text, bytes, &host, 1);
    free(text);
    if (r.why)
        fail_msg("%s", r.why);
    assert_int_equal(count_words(r.out, "tier=leaf"), 31);
    assert_int_equal(count_words(r.out, "tier=spine"), 9);
    assert_int_equal(count_words(r.out, "count=2 rate=400Gb/s"), 263);
    assert_int_equal(count_words(r.out, ":mlx5_"), 473);
    for (char rack = '1'; rack <= '8'; rack++)
        for (char rail = '1'; rail <= '4'; rail++) {
            char name[] = "IBLEAF-0x-0x tier=leaf";
            name[8] = rail;
            name[11] = rack;
            assert_int_equal(count_words(r.out, name), rail == '3' && rack == '1' ? 0 : 1);
        }
    struct sp_topo *t = load(r.out);
    assert_int_equal(t->nnodes, 122);
    sp_topo_free(t);
    release(&r);
}

int main(void)
{
    top = getenv("srcdir") ? getenv("srcdir") : ".";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nvswitch),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_xgmi),
        cmocka_unit_test(test_c2c),
        cmocka_unit_test(test_nccl_refused),
        cmocka_unit_test(test_no_links),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_ib),
        cmocka_unit_test(test_ib_refused),
        cmocka_unit_test(test_slurm_tree),
        cmocka_unit_test(test_slurm_blocks),
        cmocka_unit_test(test_slurm_refused),
        cmocka_unit_test(test_real_nccl),
        cmocka_unit_test(test_real_ib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
