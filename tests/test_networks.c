/* test_networks.c - what ibnetdiscover and Slurm know becomes cluster files; and no importer
 * falls over a file that is cut off or damaged. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/imported.h"

/* ---- ibnetdiscover ---------------------------------------------------------------------- */

static void test_ib(void **state)
{
    (void)state;
    size_t bytes, golden_bytes;
    char *text = read_sample("two-leaves.ib", &bytes);
    char *golden = read_sample("two-leaves.cluster", &golden_bytes);
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

static struct result import_slurm(const char *text, const char *name)
{
    struct sp_import_machine m = shipped_machine(name);
    struct result r = import(sp_import_slurm, text, strlen(text), &m, 1);
    if (r.why && strstr(r.why, "built without"))
        skip();
    return r;
}

static void test_slurm_tree(void **state)
{
    (void)state;
    size_t bytes;
    char *text = read_sample("tree.conf", &bytes);
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
    struct sp_topo *t = load_text(r.out);
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
    struct sp_topo *t = load_text(r.out);
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

/* ---- a real network, which not everybody has ------------------------------------------ */

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
    const char *path = shared("data/fabric/topograph-ibnetdiscover-example.out");
    if (!path)
        skip();
    char *text = read_file(path, &bytes);
    struct sp_import_machine host = shipped_machine("hgx-h200");     /* has mlx5_0, 1, 4, 5 too */
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
    struct sp_topo *t = load_text(r.out);
    assert_int_equal(t->nnodes, 122);
    sp_topo_free(t);
    release(&r);
}

/* ---- bad files, of any importer ------------------------------------------------------- */

/* Anything but a crash, a hang or a leak; and a sentence where it is refused. */
static void survives(importer run, const char *text, size_t bytes,
                     const struct sp_import_machine *machine)
{
    struct result r = import(run, text, bytes, machine, 1);
    if (r.why)
        assert_true(strlen(r.why) > 10);
    release(&r);
}

static const struct { const char *name; importer run; }
samples[] = {
    { "nvswitch.xml", sp_import_nccl }, { "xgmi.xml", sp_import_nccl },
    { "two-leaves.ib", sp_import_ib }, { "tree.conf", sp_import_slurm },
};

static void test_cut_off(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        size_t bytes;
        char *text = read_sample(samples[i].name, &bytes);
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
        char *text = read_sample(samples[i].name, &bytes);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ib),
        cmocka_unit_test(test_ib_refused),
        cmocka_unit_test(test_slurm_tree),
        cmocka_unit_test(test_slurm_blocks),
        cmocka_unit_test(test_slurm_refused),
        cmocka_unit_test(test_real_ib),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
