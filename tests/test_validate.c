/* test_validate.c - tables of other people read as points, or left out with a reason; scores by
 * hand; and points predicted by a double, so that only the way there is tested. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/scored.h"
#include "report/score.h"
#include "sim/predict.h"
#include "topo/aliases.h"
#include "util/stats.h"

static const char path[] = "test_validate.csv";

static void put(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void check_near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-9 * fabs(b)))
        fail_msg("%.12g is not %.12g", a, b);
}

/* ---- aliases ---- */

static const char machines[] =
    "# a comment\n\n"
    "*A800*      | 8 | *      | a800-{nodes}.cluster | a800-fa2\n"
    "A100 (PCIe) | * | *      | pcie.xml             | a100-fa2\n"
    "*a100*      | * | NVLink*| dgx-{nodes}-{nodes}  | a100-fa2   \r\n"
    "*           | 4 | *      | four.xml             | four\n";

static void test_aliases(void **state)
{
    static const struct { const char *hardware; int per_node; const char *link, *topology; }
    cases[] = {
        { "A800 (SXM)", 8, "", "a800-{nodes}.cluster" },
        { "8xA100-SXM4", 8, "NVLink", "dgx-{nodes}-{nodes}" },
        { "8xA100-SXM4", 8, "PCIe", NULL },
        { "A100 (PCIe)", 8, "PCIe", "pcie.xml" },
        { "A800", 4, "", "four.xml" },
        { "A800", 0, "", NULL },
    };
    (void)state;
    const char *why;
    put(path, machines);
    struct sp_aliases *a = sp_aliases_load(path, &why);
    assert_non_null(a);
    assert_int_equal(a->n, 4);
    assert_int_equal(a->alias[0].line, 3);
    assert_string_equal(a->alias[2].profile, "a100-fa2");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct sp_alias *x = sp_aliases_find(a, cases[i].hardware, cases[i].per_node,
                                                   cases[i].link);
        assert_int_equal(!x, !cases[i].topology);
        if (x)
            assert_string_equal(x->topology, cases[i].topology);
    }
    char *name = sp_alias_name("dgx-{nodes}-{nodes}.x", 12);
    assert_string_equal(name, "dgx-12-12.x");
    free(name);
    sp_aliases_free(a);
    unlink(path);
}

static void test_bad_aliases(void **state)
{
    static const char *const cases[][2] = {
        { "a | 8 | b | c\n", "test_validate.csv:1: 4 fields between |, not 5" },
        { "\na | 8 | b | c | d | e\n", "test_validate.csv:2: 6 fields between |, not 5" },
        { "a | eight | * | c | d\n", "test_validate.csv:1: GPUs per node: " },
        { "a | 0 | * | c | d\n", "0 must be from 1" },
        { "a | 8 | * | | d\n", "test_validate.csv:1: the topology is empty" },
    };
    (void)state;
    const char *why;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(path, cases[i][0]);
        assert_null(sp_aliases_load(path, &why));
        if (!strstr(why, cases[i][1]))
            fail_msg("%s\nhas no: %s", why, cases[i][1]);
    }
    char long_line[6000];
    memset(long_line, 'x', sizeof long_line - 1);
    long_line[sizeof long_line - 1] = 0;
    put(path, long_line);
    assert_null(sp_aliases_load(path, &why));
    assert_non_null(strstr(why, "longer than"));
    unlink(path);
    assert_null(sp_aliases_load(path, &why));
    assert_non_null(strstr(why, "No such file"));
}

/* ---- rows ---- */

#define HEADER "source_id,hardware,gpus_total,gpus_per_node,intra_link,strategy,sp_degree," \
    "ulysses_degree,layout,pass,batch,seq_global,heads_q,heads_kv,head_dim,causal,dtype," \
    "metric,value,unit,notes\n"
#define A100 "me,A100,8,8,NVLink,"
#define SIZES "2,8192,32,8,128,1,bf16,latency,"

static struct sp_measured_file read_rows(const char *rows)
{
    struct sp_measured_file f;
    char text[8192];
    snprintf(text, sizeof text, "%s%s", HEADER, rows);
    put(path, text);
    const char *why = sp_measured_read(&f, path);
    if (why)
        fail_msg("%s", why);
    unlink(path);
    return f;
}

/* The knob of that name of a point. */
static int knob(const struct sp_measured *m, const char *name)
{
    int i = 0;
    while (strcmp(m->strategy->knobs[i].name, name))
        i++;
    return m->pb.knob[i];
}

static void test_strategies(void **state)
{
    static const struct { const char *name, *degree, *layout, *ours; int place; } cases[] = {
        { "ring", "1", "zigzag", "ring", SP_ZIGZAG },
        { "Ring Attention", "", "striped", "ring", SP_STRIPED },
        { "zigzag ring", "", "", "ring", SP_ZIGZAG },
        { "basic-ring", "", "", "ring", SP_CONTIGUOUS },
        { "ulysses", "8", "", "ulysses", SP_CONTIGUOUS },
        { "DeepSpeed-Ulysses", "", "", "ulysses", SP_CONTIGUOUS },
        { "usp", "4", "zigzag", "hybrid", SP_ZIGZAG },
        { "usp", "8", "zigzag", "ulysses", SP_ZIGZAG },
        { "hybrid", "1", "contiguous", "ring", SP_CONTIGUOUS },
        { "all-gather", "", "zigzag", "allgather", SP_ZIGZAG },
        { "llama3", "", "contiguous", "allgather", SP_CONTIGUOUS },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char row[400];
        snprintf(row, sizeof row, A100 "%s,8,%s,%s,fwd+bwd," SIZES "7,ms,\n", cases[i].name,
                 cases[i].degree, cases[i].layout);
        struct sp_measured_file f = read_rows(row);
        const struct sp_measured *m = &f.row[0];
        if (m->why)
            fail_msg("%s: %s", cases[i].name, m->why);
        assert_string_equal(m->strategy->name, cases[i].ours);
        assert_int_equal(m->pb.layout, cases[i].place);
        assert_int_equal(m->pb.kv_heads, 8);
        assert_int_equal(m->pb.ranks, 8);
        assert_true(m->pb.backward && m->pass[0] && m->pass[1]);
        assert_int_equal(m->line, 2);
        if (!strcmp(cases[i].ours, "hybrid"))
            assert_int_equal(knob(m, "pu"), 4);
        if (!strcmp(cases[i].ours, "ring")) {
            assert_int_equal(knob(m, "bwd"), 1);        /* home, as their rings do */
            assert_int_equal(knob(m, "fused"), 0);
        }
        sp_measured_free(&f);
    }
}

static void test_units(void **state)
{
    /* fwd+bwd, S 8192, causal: 3.5 x 4 x S S / 2 x 32 x 128 x 2 FLOPs */
    const double flops = 3.5 * 4 * 8192.0 * 8192 / 2 * 32 * 128 * 2;
    const struct { const char *metric, *value, *unit; double seconds; } cases[] = {
        { "latency", "7", "ms", 0.007 },
        { "latency", "7e-3", "s", 0.007 },
        { "latency", "250", "us", 250e-6 },
        { "latency", "31.418", "ms/iter", 0.031418 },
        { "throughput", "558.972", "iters/s", 1 / 558.972 },
        { "TFLOPS/GPU", "100", "TFLOP/s", flops / 100e12 / 8 },
        { "per GPU", "100", "TFLOPS", flops / 100e12 / 8 },
        { "aggregate TFLOPS", "800", "TFLOPS", flops / 800e12 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char row[400];
        snprintf(row, sizeof row, A100 "ring,8,1,zigzag,fwd+bwd,2,8192,32,8,128,1,bf16,%s,%s,%s,\n",
                 cases[i].metric, cases[i].value, cases[i].unit);
        struct sp_measured_file f = read_rows(row);
        assert_null(f.row[0].why);
        check_near(f.row[0].seconds, cases[i].seconds);
        sp_measured_free(&f);
    }
}

/* A row, and a part of the reason why it is left out. */
static void test_reasons(void **state)
{
    static const char *const cases[][2] = {
        { A100 "ring,8,1,zigzag,fwd," SIZES "7,ms,FLAG noisy", "flagged" },
        { A100 "ring,8,1,zigzag,fwd," SIZES "7,ms,\"x, EXCLUDE: y\"", "excluded" },
        { A100 "ring,8,1,zigzag,train step," SIZES "7,ms,", "'train step' is more than attention" },
        { A100 "ring,8,1,zigzag,," SIZES "7,ms,", "incomplete: pass" },
        { A100 "ring,8,1,,fwd," SIZES "7,ms,", "incomplete: layout" },
        { A100 "ring,8,1,spiral,fwd," SIZES "7,ms,", "is none of contiguous" },
        { A100 "usp,8,,zigzag,fwd," SIZES "7,ms,", "incomplete: ulysses_degree" },
        { A100 "usp,8,3,zigzag,fwd," SIZES "7,ms,", "refused by hybrid" },
        { A100 "double_ring,8,1,zigzag,fwd," SIZES "7,ms,", "strategy 'double_ring' is none" },
        { A100 "ring,8,1,zigzag,fwd,,8192,32,8,128,1,bf16,latency,7,ms,", "incomplete: batch" },
        { A100 "ring,8,1,zigzag,fwd,2,8192,32,8,128,,bf16,latency,7,ms,", "incomplete: causal" },
        { A100 "ring,8,1,zigzag,fwd,2,8192,32,8,128,yes,bf16,latency,7,ms,", "causal 'yes'" },
        { A100 "ring,8,1,zigzag,fwd,2,8192,32,5,128,1,bf16,latency,7,ms,", "must divide heads" },
        { A100 "ring,8,1,zigzag,fwd,2,8191,32,8,128,1,bf16,latency,7,ms,", "refused by ring" },
        { A100 "ring,8,1,zigzag,fwd,2,1e9,32,8,128,1,bf16,latency,7,ms,", "seq_global: " },
        { A100 "ring,8,1,zigzag,fwd,2,99999999999999999999,32,8,128,1,bf16,latency,7,ms,",
          "seq_global: " },
        { A100 "ring,1000000000,1,zigzag,fwd," SIZES "7,ms,", "sp_degree: " },
        { A100 "ring,3,1,zigzag,fwd," SIZES "7,ms,", "sp_degree 3 must divide gpus_total 8" },
        { A100 "ring,8,1,zigzag,fwd,2,8192,32,8,128,1,fp8,latency,7,ms,", "dtype 'fp8'" },
        { A100 "ring,8,1,zigzag,fwd," SIZES ",ms,OOM", "incomplete: no value" },
        { A100 "ring,8,1,zigzag,fwd," SIZES "nan,ms,", "value 'nan' is not a number above 0" },
        { A100 "ring,8,1,zigzag,fwd," SIZES "-7,ms,", "value '-7'" },
        { A100 "ring,8,1,zigzag,fwd," SIZES "0,iters/s,", "value '0'" },
        { A100 "ring,8,1,zigzag,fwd," SIZES "7 ms,ms,", "value '7 ms'" },
        { A100 "ring,8,1,zigzag,fwd," SIZES "1e-300,iters/s,", "would be 1e+300 seconds" },
        { A100 "ring,8,1,zigzag,fwd," SIZES "7,fortnights,", "unit 'fortnights'" },
        { A100 "ring,8,1,zigzag,fwd," SIZES "7,TFLOPS,", "metric 'latency' doesn't say" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char row[400];
        snprintf(row, sizeof row, "%s\n", cases[i][0]);
        struct sp_measured_file f = read_rows(row);
        assert_int_equal(f.n, 1);
        if (!f.row[0].why || !strstr(f.row[0].why, cases[i][1]))
            fail_msg("%s\nis left out for: %s\nnot: %s", cases[i][0], f.row[0].why, cases[i][1]);
        sp_measured_free(&f);
    }
}

static void test_bad_files(void **state)
{
    (void)state;
    struct sp_measured_file f;
    const char *why;
    put(path, "source_id,hardware\nme,A100\n");
    why = sp_measured_read(&f, path);
    assert_non_null(why);
    assert_non_null(strstr(why, "test_validate.csv has no column gpus_total"));
    sp_measured_free(&f);
    put(path, HEADER "one,two\n");
    assert_non_null(sp_measured_read(&f, path));
    sp_measured_free(&f);
    put(path, "");
    assert_non_null(sp_measured_read(&f, path));
    sp_measured_free(&f);
    put(path, "{\"schema\": \"other\"}\n");
    assert_non_null(strstr(sp_measured_read(&f, path), "its schema is other"));
    sp_measured_free(&f);
    unlink(path);
    assert_non_null(strstr(sp_measured_read(&f, path), "No such file"));
    sp_measured_free(&f);
}

static void test_marks(void **state)
{
    (void)state;
    struct sp_measured_file f = read_rows(
        A100 "ring,8,1,zigzag,bwd," SIZES "7,ms,launch-bound (small)\n"
        A100 "ring,4,1,zigzag,bwd,2,8192,32,8,128,0,fp16,latency,7,ms,\n");
    assert_true(f.row[0].launch_bound && !f.row[0].fp16);
    assert_true(!f.row[1].launch_bound && f.row[1].fp16);
    assert_int_equal(f.row[1].pb.dtype, SP_BF16);
    assert_int_equal(f.row[1].gpus, 8);
    assert_int_equal(f.row[1].pb.ranks, 4);
    assert_true(f.row[0].pb.causal && !f.row[1].pb.causal);
    assert_true(!f.row[0].pass[SP_FORWARD] && f.row[0].pass[SP_BACKWARD]);
    sp_measured_free(&f);
}

static void test_own_results(void **state)
{
    static const char *const reasons[] = { NULL, "not overlapped", "its status is refused",
        "simulated, not measured", "ring has no knob", "incomplete: no time",
        "sp 0 must be from 1" };
    static const char *const changes[] = { "\"x\":1", "\"mode\":\"compute\"",
        "\"status\":\"refused\"", "\"source\":\"simulated\"", "\"knobs\":\"speed=9\"",
        "\"time_ms\":-4", "\"sp\":0" };
    enum { N = sizeof reasons / sizeof *reasons };
    (void)state;
    struct sp_measured_file f;
    FILE *file = fopen(path, "w");
    fputs("{\"schema\":\"seqpar.result/1\",\"context\":{}}\n", file);
    for (int i = 0; i < N; i++)
        fprintf(file, "{\"source\":\"measured\",\"strategy\":\"ring\","
                "\"knobs\":\"bwd=home fused=1 buffers=3 chunks=1\",\"sp\":4,\"seq\":4096,"
                "\"batch\":1,\"heads\":8,\"kv_heads\":2,\"head_dim\":64,\"dtype\":\"bf16\","
                "\"mask\":\"causal\",\"layout\":\"zigzag\",\"pass\":\"bwd\","
                "\"mode\":\"overlapped\",\"status\":\"ok\",\"time_ms\":12.5,%s}\n", changes[i]);
    fclose(file);
    assert_null(sp_measured_read(&f, path));
    assert_int_equal(f.n, N);
    for (int i = 0; i < N; i++) {
        assert_int_equal(!f.row[i].why, !reasons[i]);
        if (reasons[i] && !strstr(f.row[i].why, reasons[i]))
            fail_msg("%s is not %s", f.row[i].why, reasons[i]);
    }
    check_near(f.row[0].seconds, 0.0125);
    assert_int_equal(knob(&f.row[0], "buffers"), 3);
    assert_int_equal(f.row[0].gpus, 4);
    sp_measured_free(&f);
    unlink(path);
}

/* ---- scores ---- */

static void test_quantile(void **state)
{
    (void)state;
    const double x[] = { 1, 2, 4, 8, 16 };
    check_near(sp_quantile(x, 5, 0), 1);
    check_near(sp_quantile(x, 5, 0.5), 4);
    check_near(sp_quantile(x, 5, 0.95), 8 + 0.8 * 8);
    check_near(sp_quantile(x, 5, 1), 16);
    check_near(sp_quantile(x, 1, 0.95), 1);
}

static void test_score(void **state)
{
    (void)state;
    const struct sp_comparison x[] = { { 1, 2 }, { 2, 1 }, { 10, 11 } };
    struct sp_score s = sp_score(x, 3);
    assert_int_equal(s.n, 3);
    check_near(s.median, 0.5);                          /* of 1, 0.5, 0.1 */
    check_near(s.p95, 0.5 + 0.9 * 0.5);
    check_near(s.bias, cbrt(1.1) - 1);                  /* 2 and 1/2 cancel */
    s = sp_score(x, 0);
    assert_true(!s.n && isnan(s.median) && isnan(s.p95) && isnan(s.bias));
}

static void test_order(void **state)
{
    (void)state;
    /* Wrong: 12-11 and 11-20; 12-20 are predicted alike. All differ by over 5 %. */
    const struct sp_comparison x[] = { { 10, 1 }, { 12, 2 }, { 11, 3 }, { 20, 2 } };
    struct sp_order o = { 0 };
    sp_order_add(&o, x, 4);
    assert_int_equal(o.pairs, 6);
    assert_int_equal(o.right, 3);
    assert_int_equal(o.wrong, 2);
    assert_int_equal(o.clear, 6);
    assert_int_equal(o.clear_right, 3);
    check_near(sp_order_tau(&o), 1.0 / 6);
    const struct sp_comparison close[] = { { 100, 1 }, { 104, 2 }, { 100, 3 } };
    o = (struct sp_order){ 0 };
    sp_order_add(&o, close, 3);
    assert_int_equal(o.pairs, 2);
    assert_int_equal(o.clear, 0);
    o = (struct sp_order){ 0 };
    assert_true(isnan(sp_order_tau(&o)));
}

static void test_regret(void **state)
{
    (void)state;
    const struct sp_comparison good[] = { { 10, 5 }, { 12, 6 } };
    const struct sp_comparison bad[] = { { 10, 7 }, { 12, 6 }, { 15, 6 } };
    check_near(sp_regret(good, 2) + 1, 1);
    check_near(sp_regret(bad, 3), 0.5);                 /* a tie counts as the worst */
}

/* ---- predictions, by a double ---- */

static int asked;               /* how often */

struct sp_forecast sp_predict(const struct sp_plan *p, const struct sp_topo *t,
                              const struct sp_profile *f, const struct sp_forecast_options *o)
{
    (void)t;
    (void)f;
    asked++;
    struct sp_forecast x = { .inside = true };
    x.pass[SP_FORWARD].time[0] = 0.001 * p->pb.ranks * o->groups;
    x.pass[SP_BACKWARD].time[0] = p->pb.backward ? 0.003 : NAN;
    x.pass[SP_FORWARD].time[SP_SIM_SERIALISED] = 0.009;
    x.pass[SP_FORWARD].time[SP_SIM_COMPUTE] = 0.0005;
    x.pass[SP_FORWARD].time[SP_SIM_COMM] = 0.00025;
    assert_true(o->decompose);
    snprintf(x.pass[SP_BACKWARD].why, sizeof x.pass[0].why, "backward");
    if (p->pb.seq == 4096)
        x.why = "too short";
    assert_int_equal(o->per_node, 8);
    return x;
}

static const char points[] =
    A100 "ring,8,1,zigzag,fwd," SIZES "8,ms,\n"
    A100 "ring,8,1,zigzag,bwd," SIZES "6,ms,\n"
    A100 "ring,8,1,zigzag,fwd+bwd," SIZES "11,ms,\n"
    A100 "ring,8,1,striped,fwd," SIZES "4,ms,\n"
    A100 "ring,4,1,zigzag,fwd," SIZES "4,ms,\n"
    A100 "ring,8,1,zigzag,fwd,2,4096,32,8,128,1,bf16,latency,4,ms,\n"
    A100 "star,8,1,zigzag,fwd," SIZES "4,ms,\n";

/* The points, on a machine that is made up. */
static struct sp_scored *score_points(struct sp_measured_file *f)
{
    static struct sp_topo topo = { .nendpoints = 8 };
    static struct sp_testbed bed = { .cluster = "a.cluster", .model = "a", .topo = &topo };
    *f = read_rows(points);
    struct sp_scored *x = calloc((size_t)f->n, sizeof *x);
    for (long i = 0; i < f->n; i++)
        x[i] = (struct sp_scored){ .file = "points.csv", .m = &f->row[i], .predicted = NAN,
                                   .bed = f->row[i].why ? NULL : &bed };
    asked = 0;
    sp_scored_predict(x, f->n);
    return x;
}

static void test_predicted(void **state)
{
    (void)state;
    struct sp_measured_file f;
    struct sp_scored *x = score_points(&f);
    assert_int_equal(asked, 4);         /* passes share a plan */
    check_near(x[0].predicted, 0.008);
    check_near(x[1].predicted, 0.003);
    check_near(x[2].predicted, 0.011);
    check_near(x[4].predicted, 0.008);  /* 2 groups of 4 */
    assert_string_equal(x[1].bound, "backward");
    assert_true(isnan(x[5].predicted) && isnan(x[6].predicted));
    assert_string_equal(f.row[5].why, "can't be predicted: too short");
    assert_int_equal(sp_scored_compare(&x[0], &x[3]), 0);
    assert_int_not_equal(sp_scored_compare_way(&x[0], &x[3]), 0);
    assert_int_not_equal(sp_scored_compare(&x[0], &x[1]), 0);   /* another pass */
    assert_int_not_equal(sp_scored_compare(&x[0], &x[4]), 0);   /* another degree */
    free(x);
    sp_measured_free(&f);
}

static void test_written(void **state)
{
    static const char csv[] =
        "validated_file,line,source,topology,profile,gpus,strategy,knobs,dtype,mask,layout,pass,"
        "sp,seq,batch,heads,kv_heads,head_dim,measured_ms,predicted_ms,"
        "serialised_ms,compute_ms,communication_ms,error,launch_bound,inside,bound,left_out\n"
        "points.csv,2,me,a.cluster,a,8,ring,bwd=home fused=0 buffers=2 chunks=1,bf16,causal,"
        "zigzag,fwd,8,8192,2,32,8,128,8,8,9,0.5,0.25,0,0,1,,\n";
    (void)state;
    const char *out = "test_validate.out", *jsonl = "test_validate.jsonl";
    char text[1000] = "";
    struct sp_measured_file f;
    struct sp_scored *x = score_points(&f);
    for (int again = 0; again < 2; again++)
        assert_null(sp_scored_write(x, f.n, out));
    FILE *file = fopen(out, "r");
    assert_int_equal(fread(text, 1, strlen(csv), file), strlen(csv));
    assert_string_equal(text, csv);
    fclose(file);
    for (int again = 0; again < 2; again++)
        assert_null(sp_scored_write(x, f.n, jsonl));
    file = fopen(jsonl, "r");
    assert_non_null(fgets(text, sizeof text, file));
    json_t *first = json_loads(text, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(first, "strategy")), "ring");
    check_near(json_real_value(json_object_get(first, "predicted_ms")), 8);
    json_decref(first);
    fclose(file);
    put(out, "dear diary\n");
    assert_non_null(strstr(sp_scored_write(x, f.n, out), "not a file of seqpar validate"));
    assert_non_null(strstr(sp_scored_write(x, f.n, "no/such/file"), "No such file"));
    unlink(out);
    unlink(jsonl);
    free(x);
    sp_measured_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_bad_aliases),
        cmocka_unit_test(test_strategies),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_own_results),
        cmocka_unit_test(test_quantile),
        cmocka_unit_test(test_score),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_regret),
        cmocka_unit_test(test_predicted),
        cmocka_unit_test(test_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
