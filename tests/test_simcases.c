/* test_simcases.c - the cases on which simulators are compared: closed forms, times that
 * SimGrid gives, and one rank for all that are alike. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "tests/bench/sim_cases.h"

static struct sp_case case_of(const char *name)
{
    for (int i = 0; sp_cases[i].name; i++)
        if (!strcmp(sp_cases[i].name, name))
            return sp_cases[i];
    fail_msg("no case %s", name);
    return sp_cases[0];
}

static void test_closed_forms(void **state)
{
    (void)state;
    const double bytes = 67108864;
    const struct sp_case ring = case_of("ring_commbound");
    const struct sp_case all = case_of("a2a_oneshot_nb");
    assert_float_equal(sp_case_run(&ring, 8, 0), 8 * 0.2e-3, 1e-15);
    assert_float_equal(sp_case_run(&all, 8, 0), 7 * bytes / 8 / 450e9 + 1e-6, 1e-15);
    assert_float_equal(sp_case_run(&all, 64, 0), 56 * bytes / 64 / 50e9 + 5e-6, 1e-15);
    const struct sp_case twice = case_of("a2a_oneshot_2to1");
    assert_float_equal(sp_case_run(&twice, 64, 0), 64 * bytes / 64 / 50e9 + 5e-6, 1e-15);
}

/* As SimGrid 3.32 has it, in the digits that were noted. */
static void test_known(void **state)
{
    static const struct { const char *name; int ranks; double ms, digit; } known[] = {
        { "ring_commbound", 64, 42.794, 1e-3 },
        { "ring_commbound", 256, 172.603, 1e-3 },
        { "ring_compbound", 64, 64, 1e-6 },
        { "ring_compbound", 256, 256, 1e-6 },
        { "ring_jitter", 64, 49.92, 1e-6 },
        { "ring_jitter", 256, 199.68, 1e-6 },
        { "a2a_oneshot_nb", 64, 1.179405, 1e-6 },
        { "a2a_oneshot_nb", 256, 1.305234, 1e-6 },
        { "a2a_oneshot_2to1", 64, 1.347177, 1e-6 },
        { "a2a_oneshot_2to1", 256, 2.353810, 1e-6 },
        { "pair_xor_nb", 64, 1.477716, 1e-6 },
        { "pair_xor_nb", 256, 2.551312, 1e-6 },
        { "pair_xor_2to1", 64, 2.148805, 1e-6 },
        { "pair_xor_2to1", 256, 3.725717, 1e-6 },
        { "shift_nb", 64, 4.3715, 0.02 * 4.3715 },
        { "shift_nb", 256, 4.11, 0.02 * 4.11 },
        { "a2a_vary20_2to1", 64, 1.357783, 1e-6 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct sp_case c = case_of(known[i].name);
        const double ms = 1e3 * sp_case_run(&c, known[i].ranks, 0);
        if (fabs(ms - known[i].ms) > 0.501 * known[i].digit)
            fail_msg("%s of %d ranks takes %.9g ms, not %.9g", known[i].name,
                     known[i].ranks, ms, known[i].ms);
    }
}

static void test_collapsed(void **state)
{
    static const char *const names[] = { "ring_commbound", "ring_compbound",
                                         "a2a_oneshot_nb", "a2a_oneshot_2to1" };
    static const int ranks[] = { 2, 4, 7, 8, 16, 24, 33, 36, 64, 96, 100, 128 };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t j = 0; j < sizeof ranks / sizeof *ranks; j++)
            for (double oversub = 1; oversub <= 8; oversub *= 2) {
                struct sp_case c = case_of(names[i]);
                c.oversub = oversub;
                double seconds;
                const double exact = sp_case_run(&c, ranks[j], 0);
                const char *why = sp_case_collapsed(&c, ranks[j], 0, &seconds);
                if (why)
                    assert_int_not_equal(ranks[j] % SP_CASE_NODE, 0);
                else if (fabs(seconds - exact) > 1e-9 * exact)
                    fail_msg("%s of %d ranks, %g:1: %.12g collapsed, %.12g explicitly",
                             names[i], ranks[j], oversub, seconds, exact);
            }
}

static void test_not_alike(void **state)
{
    static const char *const names[] = { "ring_jitter", "a2a_vary20_2to1", "shift_nb",
                                         "pair_xor_nb" };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct sp_case c = case_of(names[i]);
        double seconds;
        assert_non_null(sp_case_collapsed(&c, 64, 0, &seconds));
    }
}

/* Taking what is close as one moment saves most of them, and hardly changes the time. */
static void test_eps(void **state)
{
    (void)state;
    const struct sp_case c = case_of("a2a_vary20_2to1");
    const double exact = sp_case_run(&c, 64, 0);
    assert_float_equal(sp_case_run(&c, 64, 1e-6), exact, 5e-4 * exact);
    assert_float_equal(sp_case_run(&c, 64, 1e-9), exact, 1e-6 * exact);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_forms),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_collapsed),
        cmocka_unit_test(test_not_alike),
        cmocka_unit_test(test_eps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
