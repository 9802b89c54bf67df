/* test_report.c - the same rows through every writer, compared with tests/golden; and
 * result files that are foreign, torn, or half done. */
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

#include "report/results.h"
#include "report/writer.h"

enum { NROWS = 6 };

static const double samples[] = { 0.0125, 0.0123456789, 0.013 };

/* A point that is ok, with round numbers. */
static struct sp_row point(const char *strategy, const char *knobs, long sp,
                           const char *pass)
{
    struct sp_row row = sp_row_new();
    row.source = "measured";
    row.strategy = strategy;
    row.knobs = knobs;
    row.sp = sp;
    row.seq = 16384;
    row.batch = 1;
    row.heads = 32;
    row.kv_heads = 8;
    row.head_dim = 128;
    row.dtype = "bf16";
    row.mask = "causal";
    row.layout = "zigzag";
    row.pass = pass;
    row.mode = "overlapped";
    row.transport = "mpi";
    row.kernels = "avx512";
    row.threads = 1;
    row.iters = 3;
    row.samples = samples;
    row.time = 0.0125;
    row.time_low = 0.0123456789;
    row.time_high = 0.013;
    row.tokens_per_s = 1310720;
    row.tflops = 0.0625;
    row.tflops_total = 0.25;
    row.roofline = 0.75;
    row.efficiency = 0.9375;
    row.flops = 2199157473280;
    row.imbalance = 0;
    row.under = 0.5;
    row.hidden = -0.125;
    row.exposed = 0.001;
    row.bytes_plan = row.bytes_moved = 25165824;
    row.messages_plan = row.messages_moved = 6;
    row.mem_plan = row.mem_used = 104857600;
    row.error = row.err_o = 0.0031;
    row.err_lse = 1e-7;
    row.tolerance = 0.006;
    row.verified = "64 rows";
    row.seed = 1;
    return row;
}

static void make_rows(struct sp_row row[NROWS])
{
    row[0] = point("local", NULL, 1, "fwd");
    row[0].efficiency = 1;
    row[0].bytes_plan = row[0].bytes_moved = 0;
    row[0].under = row[0].hidden = NAN;
    row[1] = point("ring", "buffers=2 chunks=1", 4, "bwd");
    row[1].time = 123456.789;                           /* grows its column */
    row[2] = point("ulysses", "chunks=1", 3, "fwd");
    row[2].status = SP_POINT_REFUSED;
    row[2].reason = "sp 3 must divide heads 32: \"1|2|4\", <8>\nor\\16 \xff";
    row[3] = point("ring", "bwd=rev", 2, "bwd");    /* has a time, which is not shown */
    row[3].status = SP_POINT_WRONG;
    row[3].reason = "dk is off by 0.5, tolerance 0.006";
    row[4] = sp_row_new();                              /* knows next to nothing */
    row[4].strategy = "ring";
    row[5] = point("ring", "buffers=2,3", 4, "fwd");    /* another group */
    row[5].source = "simulated";
    row[5].seed = -1;
}

static json_t *make_context(void)
{
    return json_pack("{ss ss si s{ss}}", "program", "seqpar 0.1.0",
                     "command", "seqpar run --strategy \"ring\"", "ranks", 4,
                     "env", "OMP_NUM_THREADS", "1");
}

/* Appends the first n rows. */
static const char *write_rows(const struct sp_writer *writer, const char *path, int n)
{
    struct sp_report report;
    struct sp_row row[NROWS];
    json_t *context = make_context();
    make_rows(row);
    const char *why = sp_report_open(&report, writer, path, context);
    for (int i = 0; i < n && !why; i++)
        sp_report_row(&report, &row[i]);
    if (!why)
        sp_report_close(&report);
    json_decref(context);
    return why;
}

/* The bytes of a file, with a 0 after them; free() them. */
static char *content(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    *bytes = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    return text;
}

static void put_content(const char *path, const char *text, size_t bytes)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, bytes, file), bytes);
    fclose(file);
}

/* ---- what is written ---- */

/* A file that differs is left for `diff`. */
static void test_golden(void **state)
{
    (void)state;
    const char *srcdir = getenv("srcdir");
    for (int i = 0; sp_writers[i]; i++) {
        char golden[4096], made[64];
        snprintf(golden, sizeof golden, "%s/tests/golden/report-%s.out",
                 srcdir ? srcdir : ".", sp_writers[i]->name);
        snprintf(made, sizeof made, "test_report.%s", sp_writers[i]->name);
        unlink(made);
        assert_null(write_rows(sp_writers[i], made, NROWS));
        size_t bytes, expected_bytes;
        char *text = content(made, &bytes), *expected = content(golden, &expected_bytes);
        assert_string_equal(text, expected);
        assert_int_equal(bytes, expected_bytes);
        free(text);
        free(expected);
        unlink(made);
    }
}

static void test_append(void **state)
{
    (void)state;
    const char *path = "test_report.append";
    unlink(path);
    assert_null(write_rows(&sp_csv, path, 1));
    assert_null(write_rows(&sp_csv, path, 2));
    size_t bytes, lines = 0;
    char *text = content(path, &bytes);
    for (size_t i = 0; i < bytes; i++)
        lines += text[i] == '\n';
    assert_int_equal(lines, 1 + 1 + 2);
    free(text);
    unlink(path);
}

static void test_foreign(void **state)
{
    static const char foreign[] = "{\"schema\": \"seqpar.result/2\"}\nhalf";
    (void)state;
    const char *path = "test_report.foreign";
    put_content(path, foreign, strlen(foreign));
    assert_string_equal(write_rows(&sp_jsonl, path, 1),
                        "cannot append to test_report.foreign: "
                        "its schema is seqpar.result/2, not seqpar.result/1");
    assert_string_equal(write_rows(&sp_csv, path, 1),
                        "cannot append to test_report.foreign: "
                        "its first line is not the header of these results");
    size_t bytes;
    char *text = content(path, &bytes);
    assert_string_equal(text, foreign);
    free(text);
    unlink(path);
    assert_string_equal(write_rows(&sp_jsonl, "no/dir/file", 1),
                        "cannot write no/dir/file: No such file or directory");
}

/* ---- what is read back ---- */

/* To the ten digits that files have. */
static void check_same(double a, double b)
{
    assert_true(fabs(a - b) <= 1e-9 * fabs(b) || (isnan(a) && isnan(b)));
}

static void test_round_trip(void **state)
{
    (void)state;
    const char *path = "test_report.trip";
    unlink(path);
    assert_null(write_rows(&sp_jsonl, path, NROWS));
    struct sp_results results;
    struct sp_row row[NROWS];
    make_rows(row);
    assert_null(sp_results_read(&results, path));
    assert_int_equal(results.n, NROWS);
    for (int i = 0; i < NROWS; i++) {
        const struct sp_row *back = &results.row[i];
        bool ok = row[i].status == SP_POINT_OK;
        char *key = sp_row_key(&row[i]), *key_back = sp_row_key(back);
        assert_string_equal(key, key_back);
        free(key);
        free(key_back);
        assert_int_equal(back->status, row[i].status);
        assert_int_equal(back->bytes_moved, row[i].bytes_moved);
        check_same(back->time, ok ? row[i].time : NAN);
        check_same(back->err_o, row[i].err_o);
        check_same(back->flops, row[i].flops);
        assert_int_equal(back->iters, row[i].iters);
        assert_true((back->samples != NULL) == (ok && row[i].samples));
        for (long j = 0; back->samples && j < back->iters; j++)
            check_same(back->samples[j], row[i].samples[j]);
    }
    sp_results_free(&results);
    unlink(path);
}

/* Whatever byte a writer was killed at, what was whole is kept and more can follow. */
static void test_torn(void **state)
{
    (void)state;
    const char *path = "test_report.torn";
    unlink(path);
    assert_null(write_rows(&sp_jsonl, path, 2));
    size_t bytes, first, last;
    char *text = content(path, &bytes);
    first = (size_t)(strchr(text, '\n') - text) + 1;
    last = (size_t)(strchr(text + first, '\n') - text) + 1;
    for (size_t cut = last; cut < bytes; cut += 97) {
        put_content(path, text, cut);
        assert_null(write_rows(&sp_jsonl, path, 3));
        struct sp_results results;
        assert_null(sp_results_read(&results, path));
        assert_int_equal(results.n, 1 + 3);
        assert_string_equal(results.row[3].strategy, "ulysses");
        sp_results_free(&results);
    }
    free(text);
    unlink(path);
}

static void test_settled(void **state)
{
    (void)state;
    const char *path = "test_report.settled";
    unlink(path);
    struct sp_results results;
    assert_null(sp_results_read(&results, path));       /* no file: nothing is settled */
    assert_int_equal(results.n, 0);
    sp_results_free(&results);
    assert_null(write_rows(&sp_jsonl, path, 4));
    assert_null(sp_results_read(&results, path));
    struct sp_row row[NROWS];
    make_rows(row);
    assert_true(sp_results_settled(&results, &row[1]));     /* ok */
    assert_true(sp_results_settled(&results, &row[2]));     /* refused */
    assert_false(sp_results_settled(&results, &row[3]));    /* wrong: tried again */
    assert_false(sp_results_settled(&results, &row[5]));    /* not there */
    row[1].threads = 2;
    assert_false(sp_results_settled(&results, &row[1]));    /* another point */
    sp_results_free(&results);
    unlink(path);
}

/* Values of other types count as not measured, and no status as failed. */
static void test_odd_values(void **state)
{
    static const char odd[] =
        "{\"schema\":\"seqpar.result/1\",\"context\":{}}\n"
        "{\"strategy\":7,\"sp\":\"4\",\"time_ms\":\"1\",\"samples_ms\":{},\"iters\":1000,"
        "\"status\":\"great\",\"more\":[1]}\n"
        "[1]\n"
        "{\"iters\":1000,\"samples_ms\":[1,null],\"status\":\"ok\"}\n";
    (void)state;
    const char *path = "test_report.odd";
    put_content(path, odd, strlen(odd));
    struct sp_results results;
    assert_null(sp_results_read(&results, path));
    assert_int_equal(results.n, 2);
    assert_null(results.row[0].strategy);
    assert_int_equal(results.row[0].sp, -1);
    assert_true(isnan(results.row[0].time));
    assert_null(results.row[0].samples);
    assert_int_equal(results.row[0].status, SP_POINT_FAILED);
    assert_int_equal(results.row[1].iters, 2);
    sp_results_free(&results);
    put_content(path, "not ours\n", 9);
    assert_string_equal(sp_results_read(&results, path), "cannot use test_report.odd: "
                        "its first line names no schema; seqpar.result/1 is expected");
    sp_results_free(&results);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_torn),
        cmocka_unit_test(test_settled),
        cmocka_unit_test(test_odd_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
