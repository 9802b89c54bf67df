/* test_util.c - what people write, what many samples say, what files hold. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/json.h"
#include "util/parse.h"
#include "util/stats.h"
#include "util/why.h"

/* ---- why ---- */

static void test_why(void **state)
{
    (void)state;
    assert_string_equal(sp_why("%s: line\n2", "a"), "a: line?2");
    assert_string_equal(sp_why("b: %s", sp_why("inner")), "b: inner");
    char longest[2000];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    assert_true(strlen(sp_why("%s", longest)) < sizeof longest - 1);
}

/* ---- parse ---- */

static void test_sizes(void **state)
{
    static const struct { const char *text; long value; } good[] = {
        { "0", 0 }, { "4096", 4096 }, { "16K", 16384 }, { "1M", 1 << 20 },
        { "2G", 2L << 30 },
        { "-1", -1 }, { "007", 7 }, { "9223372036854775807", LONG_MAX },
    };
    static const char *const bad[] = {
        "", "K", " 1", "1 ", "+1", "1k", "1KB", "1KK", "1.5K", "0x10", "1e3", "sixteen",
        "-", "--1",
        "9223372036854775808", "9223372036854775807K", "99999999999999999999999",
    };
    (void)state;
    long value;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_null(sp_parse_size(good[i].text, LONG_MIN, LONG_MAX, &value));
        assert_int_equal(value, good[i].value);
    }
    value = 42;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_non_null(sp_parse_size(bad[i], LONG_MIN, LONG_MAX, &value));
    assert_int_equal(value, 42);
    assert_string_equal(sp_parse_size("0", 1, 100, &value), "0 must be from 1 to 100");
    assert_string_equal(sp_parse_size("1K", 1, 100, &value), "1K must be from 1 to 100");
    assert_string_equal(sp_parse_size("4x", 1, 100, &value),
                        "\"4x\" is not a whole number such as 4096, 16K or 1M");
}

static void test_seconds(void **state)
{
    static const struct { const char *text; double value; } good[] = {
        { "2", 2 }, { "2s", 2 }, { "500ms", 0.5 }, { "250us", 250e-6 }, { "1.5m", 90 },
        { "1h", 3600 },
        { ".5s", 0.5 },
    };
    static const char *const bad[] = {
        "", "s", "-1s", "1x", "1e3", "inf", "nan", "0x1", "1.2.3", " 1", ".", "1 s",
    };
    (void)state;
    double value;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_null(sp_parse_seconds(good[i].text, &value));
        assert_float_equal(value, good[i].value, 1e-12);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_non_null(sp_parse_seconds(bad[i], &value));
}

static void test_names(void **state)
{
    static const char *const names[] = { "fp32", "bf16", NULL };
    (void)state;
    int place;
    assert_null(sp_parse_name("bf16", names, &place));
    assert_int_equal(place, 1);
    assert_string_equal(sp_parse_name("fp8", names, &place),
                        "\"fp8\" is none of fp32, bf16");
}

static void test_lists(void **state)
{
    (void)state;
    char **words;
    long *sizes;
    int n;
    assert_null(sp_parse_words("ring,ulysses,x", &words, &n));
    assert_int_equal(n, 3);
    assert_string_equal(words[0], "ring");
    assert_string_equal(words[2], "x");
    free(words);
    assert_null(sp_parse_sizes("1,2K,3", 1, 4096, &sizes, &n));
    assert_int_equal(n, 3);
    assert_int_equal(sizes[1], 2048);
    free(sizes);
    static const char *const bad[] = { "", ",", "1,", ",1", "1,,2", "1,x", "1,8K" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_non_null(sp_parse_sizes(bad[i], 1, 4096, &sizes, &n));
}

/* ---- stats ---- */

static void test_median(void **state)
{
    (void)state;
    double odd[] = { 5, 1, 3 }, even[] = { 4, 1, 3, 2 }, one[] = { 7 };
    sp_sort(odd, 3);
    sp_sort(even, 4);
    assert_float_equal(sp_median(odd, 3), 3, 0);
    assert_float_equal(sp_median(even, 4), 2.5, 0);
    assert_float_equal(sp_median(one, 1), 7, 0);
}

/* The probability that the median of a distribution lies between two order statistics is
 * binomial, whatever the distribution: counted here, not sampled. */
static double covered(int n, int first, int last)
{
    double sum = 0, ways = pow(0.5, n);
    for (int below = 0; below <= n; below++) {
        if (below >= first && below < last)
            sum += ways;
        ways *= (double)(n - below) / (below + 1);
    }
    return sum;
}

static void test_interval(void **state)
{
    (void)state;
    double sample[200], low, high;
    for (int i = 0; i < 200; i++)
        sample[i] = i + 1;
    for (int n = 1; n < 6; n++)
        assert_false(sp_median_interval(sample, n, &low, &high));
    for (int n = 6; n <= 200; n++) {
        assert_true(sp_median_interval(sample, n, &low, &high));
        assert_true(covered(n, (int)low, (int)high) >= 0.95);
        assert_true(low <= sp_median(sample, n) && high >= sp_median(sample, n));
    }
    assert_true(sp_median_interval(sample, 100, &low, &high));
    assert_float_equal(low, 40, 0);         /* floor((100 - 19.6) / 2) */
    assert_float_equal(high, 61, 0);        /* ceil(1 + (100 + 19.6) / 2) */
}

/* ---- json ---- */

/* A file with that text, at a path of its own; unlink() it. */
static const char *file_of(const char *text, size_t bytes)
{
    static char path[] = "test_util.XXXXXX";
    strcpy(path, "test_util.XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, bytes), bytes);
    close(fd);
    return path;
}

static json_t *load(const char *text, const char **why)
{
    const char *path = file_of(text, strlen(text));
    json_t *root = sp_json_load(path, why);
    unlink(path);
    return root;
}

static void test_json_files(void **state)
{
    (void)state;
    const char *why = NULL;
    assert_null(sp_json_load("/no/such/file", &why));
    assert_string_equal(why, "cannot read /no/such/file: No such file or directory");
    assert_null(sp_json_load("/", &why));
    assert_string_equal(why, "cannot read /: Is a directory");
    assert_null(load("{\n\"a\": 1,\n\"b\":", &why));
    assert_non_null(strstr(why, ":3: not JSON: "));
    assert_null(load("", &why));
    assert_null(load("{} x", &why));
    assert_null(load("[1]", &why));
    assert_non_null(strstr(why, "not an object"));
    json_t *root = load("{}", &why);
    assert_non_null(root);
    json_decref(root);
}

static void test_json_too_long(void **state)
{
    (void)state;
    size_t bytes = (64 << 20) + 1;
    char *text = malloc(bytes);
    memset(text, ' ', bytes);
    const char *why, *path = file_of(text, bytes);
    assert_null(sp_json_load(path, &why));
    unlink(path);
    free(text);
    assert_non_null(strstr(why, "is longer than 64 MiB"));
}

static void test_json_members(void **state)
{
    (void)state;
    const char *why;
    long value;
    json_t *root = load("{\"a\": 7, \"nil\": null, \"half\": 0.5, \"big\": 1e30}", &why);
    assert_null(sp_json_whole(root, "a", 1, 10, 0, &value));
    assert_int_equal(value, 7);
    assert_null(sp_json_whole(root, "nil", 1, 10, -3, &value));
    assert_int_equal(value, -3);
    assert_null(sp_json_whole(root, "none", 1, 10, -4, &value));
    assert_int_equal(value, -4);
    assert_string_equal(sp_json_whole(root, "a", 8, 10, 0, &value),
                        "a 7 must be from 8 to 10");
    assert_string_equal(sp_json_whole(root, "half", 0, 1, 0, &value),
                        "half is not a whole number");
    assert_non_null(sp_json_whole(root, "big", 0, 1, 0, &value));
    assert_null(sp_json_get(root, "nil"));
    assert_null(sp_json_get(NULL, "a"));
    json_decref(root);
}

static void test_json_text(void **state)
{
    (void)state;
    json_t *good = sp_json_text("ü|\n"), *bad = sp_json_text("a\xff" "b");
    assert_string_equal(json_string_value(good), "ü|\n");
    assert_string_equal(json_string_value(bad), "a?b");
    json_decref(good);
    json_decref(bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_why),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_seconds),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_median),
        cmocka_unit_test(test_interval),
        cmocka_unit_test(test_json_files),
        cmocka_unit_test(test_json_too_long),
        cmocka_unit_test(test_json_members),
        cmocka_unit_test(test_json_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
