/* test_flow_small.c - flows of small networks, by hand. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <math.h>

#include "sim/net.h"

/* 10 to 20 ms */
static double step_of(unsigned *x)
{
    *x = *x * 1664525 + 1013904223;
    return 0.01 + 0.01 * (*x >> 8) / (1 << 24);
}

/* A chain of computations is off by at most eps for each. */
static void test_eps(void **state)
{
    (void)state;
    enum { CHAINS = 50, STEPS = 40 };
    const double eps = 1e-3;
    struct sp_net *n = sp_net_new(NULL, 0, eps);
    double exact[CHAINS] = { 0 };
    int step[CHAINS] = { 0 }, moments = 0;
    unsigned x = 1;
    for (int i = 0; i < CHAINS; i++)
        sp_net_start(n, i, -1, 0, exact[i] = step_of(&x), 1);
    double before = 0;
    for (int id; (id = sp_net_wait(n)) >= 0;) {
        moments += sp_net_now(n) > before;
        before = sp_net_now(n);
        assert_true(fabs(before - exact[id]) <= eps * (step[id] + 1));
        const double more = step_of(&x);
        if (++step[id] < STEPS)
            sp_net_start(n, id, -1, 0, more, 1);
        exact[id] += more;
    }
    assert_true(moments < CHAINS * STEPS / 2);
    sp_net_free(n);
}

static void expect(struct sp_net *n, int id, double time)
{
    assert_int_equal(sp_net_wait(n), id);
    assert_float_equal(sp_net_now(n), time, 1e-12);
}

/* Two flows over 10 B/s; the first is held to 2 from 5 s on, and let go at 15 s. */
static void test_caps(void **state)
{
    (void)state;
    const double rate[] = { 10 };
    struct sp_net *n = sp_net_new(rate, 1, 0);
    const int path = sp_net_path(n, &(struct sp_hop){ 0, 1 }, 1);
    sp_net_start(n, 0, path, 0, 100, INFINITY);
    sp_net_start(n, 1, path, 0, 105, INFINITY);
    sp_net_start(n, 2, -1, 1, 4, 1);
    sp_net_start(n, 3, -1, 0, 15, 1);
    expect(n, 2, 5);
    assert_float_equal(sp_net_crossed(n, 0), 50, 1e-9);
    sp_net_cap(n, 0, 2);
    expect(n, 1, 15);
    expect(n, 3, 15);
    assert_float_equal(sp_net_crossed(n, 0), 105 + 25 + 20, 1e-9);
    sp_net_cap(n, 0, INFINITY);
    expect(n, 0, 20.5);
    assert_int_equal(sp_net_wait(n), -1);
    sp_net_start(n, 2, -1, 0, 10, 1);
    sp_net_start(n, 3, -1, 0, 5, 1);
    expect(n, 3, 25.5);
    sp_net_cap(n, 2, 0.5);
    expect(n, 2, 35.5);
    sp_net_free(n);
}

/* A cap that binds only later, when fewer share the link: 60 flows over 60 B/s, of which
 * one after the other ends; the last may do 1.2 B/s from 8 ends on. */
static void test_cap_later(void **state)
{
    (void)state;
    enum { MANY = 60, LAST = MANY - 1 };
    const double rate[] = { MANY };
    struct sp_net *n = sp_net_new(rate, 1, 0);
    const int path = sp_net_path(n, &(struct sp_hop){ 0, 1 }, 1);
    for (int i = 0; i < MANY; i++)
        sp_net_start(n, i, path, 0, 1 + 0.1 * i + (i == LAST ? 100 : 0), INFINITY);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(sp_net_wait(n), i);
        if (i == 8)
            sp_net_cap(n, LAST, 1.2);
        sp_share(n);
        if (i == LAST)
            continue;
        const int clock = n->flow[LAST].clock;
        const double speed = clock ? n->agenda.dial[clock].speed : n->need[LAST].rate;
        assert_float_equal(speed, fmin(1.2, (double)MANY / (LAST - i)), 1e-9);
    }
    sp_net_free(n);
}

static void test_nothing(void **state)
{
    (void)state;
    const double rate[] = { 10, 20 };
    struct sp_net *n = sp_net_new(rate, 2, 0);
    const int path = sp_net_path(n, (struct sp_hop[]){ { 0, 1 }, { 1, 1 } }, 2);
    assert_int_equal(sp_net_wait(n), -1);
    sp_net_start(n, 5, path, 0, 0, INFINITY);
    sp_net_start(n, 3, -1, 0, 0, INFINITY);
    sp_net_start(n, 9, path, 2, 0, 1);
    sp_net_start(n, 7, -1, 0, 10, INFINITY);
    expect(n, 3, 0);
    expect(n, 5, 0);
    expect(n, 7, 0);
    expect(n, 9, 2);
    assert_int_equal(sp_net_wait(n), -1);
    assert_float_equal(sp_net_crossed(n, 0), 0, 0);
    sp_net_free(n);
}

/* A link twice on a way takes twice the share; ids come in order, however they
 * started. */
static void test_same_path(void **state)
{
    (void)state;
    enum { MANY = 3000 };
    const double rate[] = { 2 * MANY };
    struct sp_net *n = sp_net_new(rate, 1, 0);
    const int path = sp_net_path(n, (struct sp_hop[]){ { 0, 1 }, { 0, 1 } }, 2);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++)
            sp_net_start(n, i * 7 % MANY, path, 0, 1, INFINITY);
        for (int i = 0; i < MANY; i++)
            expect(n, i, round + 1);
    }
    assert_float_equal(sp_net_crossed(n, 0), 4 * MANY, 1e-6);
    sp_net_free(n);
}

static void test_far_apart(void **state)
{
    (void)state;
    enum { MANY = 20, APART = 5000 };
    struct sp_net *n = sp_net_new(NULL, 0, 0);
    for (int i = MANY - 1; i >= 0; i--)
        sp_net_start(n, i * APART, -1, 0, 1, 1);
    for (int i = 0; i < MANY; i++)
        expect(n, i * APART, 1);
    sp_net_free(n);
}

/* Stamps run out in the middle of it: nobody sees that. */
static void test_long(void **state)
{
    (void)state;
    enum { MANY = 100 };
    const double rate[] = { 7, 5 };
    double end[2][MANY];
    for (int late = 0; late < 2; late++) {
        struct sp_net *n = sp_net_new(rate, 2, 0);
        for (int i = 0; i < 2; i++)
            sp_net_path(n, &(struct sp_hop){ i, 1 }, 1);
        for (int i = 0; i < MANY; i++)
            sp_net_start(n, i, i % 2, 0, 1 + i * i % 37, INFINITY);
        for (int i = 0, id; (id = sp_net_wait(n)) >= 0; i++) {
            end[late][id] = sp_net_now(n);
            if (late && i == 20)
                n->stamp = INT_MAX - 30;
        }
        sp_net_free(n);
    }
    for (int i = 0; i < MANY; i++)
        assert_float_equal(end[0][i], end[1][i], 1e-12 * end[0][i]);
}

/* Which links are left out: the leaf's, but neither of two that imply each other. */
static void test_prune(void **state)
{
    (void)state;
    const double rate[] = { 50, 50, 100, 99, 50, 50 };
    struct sp_net *n = sp_net_new(rate, 6, 0);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            const struct sp_hop hop[] = { { i, 1 }, { 2, 1 }, { 3, 1 }, { 4 + j, 1 } };
            sp_net_path(n, hop, 4);
        }
    sp_net_prune(n);
    for (int p = 0; p < 4; p++) {
        assert_int_equal(n->path[p].kept, 3);
        for (int i = 0; i < 3; i++)
            assert_int_not_equal(n->hop[n->path[p].hop + i].link, 2);
    }
    sp_net_free(n);
    n = sp_net_new(rate, 6, 0);
    sp_net_path(n, (struct sp_hop[]){ { 1, 1 }, { 0, 1 }, { 4, 1 }, { 2, 1 } }, 4);
    sp_net_prune(n);
    assert_int_equal(n->path[0].kept, 1);
    sp_net_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eps),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_cap_later),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_same_path),
        cmocka_unit_test(test_far_apart),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_prune),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
