/* test_calibrate.c - what calibration makes of samples: tallies, and the parts of a profile
 * that only CPUs have. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "measure/bench.h"
#include "sim/profile.h"
#include "util/memory.h"

static bool near(double x, double y, double part) { return fabs(x / y - 1) <= part; }

static void tally(struct sp_tally *t, const double *x, int n)
{
    for (int i = 0; i < n; i++)
        sp_tally_add(t, x[i]);
}

/* A few disturbed repetitions move neither; all of them count for none. */
static void tallies(void **state)
{
    (void)state;
    const char *why = NULL;
    struct sp_comm *c = sp_transport_find("self")->open(&why);
    assert_non_null(c);
    static const double quiet[] = { 5, 1, 4, 2, 3 }, loud[] = { 900, 1, 700, 2, 3, 800, 4, 600 };
    struct sp_tally t = { 0 };
    tally(&t, quiet, 5);
    assert_true(sp_tally_typical(&t, c, SP_SLOWEST) == 2);
    assert_int_equal(t.n, 0);
    tally(&t, loud, 8);
    assert_true(sp_tally_typical(&t, c, SP_FASTEST) == 2);
    tally(&t, quiet, 5);
    assert_true(sp_tally_middle(&t, c, SP_SLOWEST) == 3);
    tally(&t, quiet, 1);
    assert_true(sp_tally_middle(&t, c, SP_FASTEST) == 5);
    assert_true(isnan(sp_tally_typical(&t, c, SP_SLOWEST)));
    c->transport->close(c);
}

static struct sp_profile *of_a_cpu(void)
{
    struct sp_profile *p = sp_alloc(sizeof *p);
    *p = (struct sp_profile){ .version = SP_PROFILE_VERSION, .measured = true, .slots = 1,
        .name = strdup("n"), .device = strdup("d"), .library = strdup("l"),
        .source = strdup("s"), .poll = 1e-3, .pass = 2e-5 };
    for (int i = 0; i < SP_NLINK_KINDS; i++)
        p->link[i] = 1;
    struct sp_stream_fit *s = &p->stream[SP_ADD];
    *s = (struct sp_stream_fit){ .launch = 1e-5, .known = true, .source = strdup("s") };
    sp_curve_add(&s->element, 1e4, 1e-10);
    sp_curve_add(&s->element, 1e6, 3e-10);
    return p;
}

/* By elements: what the caches hold is faster. */
static void streams(void **state)
{
    (void)state;
    struct sp_profile *p = of_a_cpu();
    struct sp_work w = { .op = SP_ADD, .bytes = 1e9, .elements = 1e4 };
    assert_true(near(sp_work_seconds(p, &w, NULL), 1e-5 + 1e-6, 1e-9));
    w.elements = 1e5;
    assert_true(near(sp_work_seconds(p, &w, NULL), 1e-5 + 2e-5, 1e-9));
    w.elements = 1e7;
    assert_true(near(sp_work_seconds(p, &w, NULL), 1e-5 + 3e-3, 1e-9));
    sp_profile_free(p);
}

/* Elements are those of the largest block, whatever it is stored in. */
static void elements(void **state)
{
    (void)state;
    struct sp_problem pb = { .seq = 16, .batch = 2, .heads = 4, .kv_heads = 4, .dim = 8,
                             .dtype = SP_BF16, .ranks = 1 };
    struct sp_plan *p = sp_plan_new(&pb);
    struct sp_buf o = { .name = "o", .kind = { SP_O }, .role = SP_INPUT, .dtype = SP_BF16,
                        .rows = 16, .heads = 4 };
    struct sp_buf dout = o, delta = { .name = "delta", .kind = { SP_DELTAS }, .rows = 16,
                                      .heads = 4 };
    dout.kind[0] = SP_DO;
    struct sp_run all = { 0, 1, 16 };
    struct sp_block x = sp_whole(p, sp_buf_new(p, 0, &o)), y = sp_whole(p, sp_buf_new(p, 0, &dout));
    sp_hold(p, x, (struct sp_where){ &all, 1 }, 0);
    sp_hold(p, y, (struct sp_where){ &all, 1 }, 0);
    sp_delta(p, sp_whole(p, sp_buf_new(p, 0, &delta)), x, y);
    assert_string_equal(p->why, "");
    assert_true(sp_step_work(p, 0).elements == 16 * 2 * 4 * 8);
    sp_plan_free(p);
}

static void kept(void **state)
{
    (void)state;
    char path[] = "test_calibrate-XXXXXX";
    close(mkstemp(path));
    struct sp_profile *p = of_a_cpu();
    p->kernel = sp_alloc(sizeof *p->kernel);
    p->nkernels = 1;
    p->kernel[0] = (struct sp_kernel_fit){ .op = SP_ATTN, .dim = 64, .tile_rows = 6,
        .tile_keys = 64, .launch = 1e-6, .tile = 1e-6, .key = 3e-8, .masked = 1, .alone = 1,
        .low_rows = 1, .high_rows = 2, .low_keys = 1, .high_keys = 2, .source = strdup("s") };
    const char *why = sp_profile_save(p, path);
    assert_null(why);
    struct sp_profile *q = sp_profile_load(path, &why);
    if (!q)
        fail_msg("%s", why);
    assert_true(q->pass == 2e-5 && q->poll == 1e-3);
    assert_true(q->kernel[0].key == 3e-8);
    assert_int_equal(q->stream[SP_ADD].element.n, 2);
    assert_true(q->stream[SP_ADD].element.y[1] == 3e-10 && q->stream[SP_ADD].rate == 0);
    sp_profile_free(p);
    sp_profile_free(q);
    remove(path);
}

/* Keys packed once for all query heads of a group: seen in grouped heads, and in few rows. */
static void packed_keys(void **state)
{
    (void)state;
    struct sp_kernel_fit truth = { .op = SP_ATTN, .dim = 64, .tile_rows = 8, .tile_keys = 64,
        .launch = 1e-5, .prologue = 1e-7, .tile = 1e-6, .row = 1e-9, .key = 6e-8, .masked = 1,
        .alone = 1 }, k = { .op = SP_ATTN, .dim = 64, .tile_rows = 8, .tile_keys = 64, .key = 1 };
    static const int rows[] = { 64, 128, 256, 512, 1024 };
    struct sp_sample s[50];
    int n = 0;
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++)
            for (int group = 1; group <= 4; group *= 4) {
                struct sp_work w = sp_square_work(SP_ATTN, SP_F32, 64, 8, 1, rows[i], rows[j],
                                                  false);
                w.kv_heads = 8 / group;
                s[n++] = (struct sp_sample){ w, sp_kernel_seconds(&truth, &w, 1, 1) };
            }
    assert_null(sp_fit_kernel(&k, 1, s, n));
    assert_true(near(k.key, truth.key, 0.15));
    assert_true(near(k.tile, truth.tile, 0.05));
    assert_true(k.residual < 0.01);
    sp_curve_free(&k.correction);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tallies), cmocka_unit_test(streams), cmocka_unit_test(elements),
        cmocka_unit_test(kept), cmocka_unit_test(packed_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
