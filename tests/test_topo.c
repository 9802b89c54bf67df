/* test_topo.c - cluster files and what comes of them; the ways from one rank to another. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "topo/topo.h"

/* Loads a cluster file with that text. */
static struct sp_topo *load_text(const char *text, const char **why)
{
    char path[] = "test_topo.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    struct sp_topo *t = sp_topo_load(path, why);
    unlink(path);
    return t;
}

static void test_ranks(void **state)
{
    const char *why;
    struct sp_route r;
    (void)state;
    struct sp_topo *t = load_text("machine box ranks=2 memory=10GB/s nic_rate=1Gb/s\n"
                                  "nodes b[1-3] machine=box\n"
                                  "fabric eth rate=1Gb/s nic=5us switch=1us\n", &why);
    if (!t)
        fail_msg("%s", why);
    assert_int_equal(t->nendpoints, 6);
    sp_topo_route(t, 0, 1, &r);
    assert_int_equal(r.class, SP_PATH_MEMORY);
    assert_int_equal(r.n, 2);
    assert_float_equal(r.cap, 10e9, 1);
    sp_topo_route(t, 0, 5, &r);
    assert_int_equal(r.class, SP_PATH_NET);
    assert_float_equal(r.cap, 125e6, 1);
    assert_float_equal(r.latency, 11e-6, 1e-9);
    sp_topo_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
