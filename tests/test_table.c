/* test_table.c - CSV files as they are met, and as they are broken. */
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
#include <sys/stat.h>
#include <unistd.h>

#include "util/data.h"
#include "util/table.h"

static char path[64];

static struct sp_table *read_bytes(const char *text, size_t bytes, const char **why)
{
    strcpy(path, "test_table.XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, bytes), bytes);
    close(fd);
    struct sp_table *t = sp_table_load(path, why);
    unlink(path);
    return t;
}

static struct sp_table *read_text(const char *text, const char **why)
{
    return read_bytes(text, strlen(text), why);
}

static int setup(void **state)
{
    (void)state;
    if (!sp_table_built())
        skip();
    return 0;
}

static void test_cells(void **state)
{
    (void)state;
    const char *why;
    struct sp_table *t = read_text("\xef\xbb\xbf" "a,b,\"c d\"\n"
                                   "1,\"x, \"\"y\"\"\",\n\n"
                                   "-2e3,\"two\nlines\",z\r\n", &why);
    assert_non_null(t);
    assert_int_equal(t->ncolumns, 3);
    assert_int_equal(t->nrows, 2);
    assert_int_equal(sp_table_column(t, "c d"), 2);
    assert_int_equal(sp_table_column(t, "e"), -1);
    assert_string_equal(sp_table_cell(t, 0, 1), "x, \"y\"");
    assert_string_equal(sp_table_cell(t, 0, 2), "");
    assert_string_equal(sp_table_cell(t, 1, 1), "two\nlines");
    assert_int_equal(t->line[1], 5);
    double x;
    assert_null(sp_table_number(t, 1, 0, &x));
    assert_true(x == -2000);
    assert_null(sp_table_number(t, 0, 2, &x));
    assert_true(isnan(x));
    why = sp_table_number(t, 1, 2, &x);
    assert_non_null(strstr(why, ":5: c d \"z\" is not a number"));
    sp_table_free(t);
}

static void test_refusals(void **state)
{
    static const struct { const char *text, *why; } bad[] = {
        { "", " has no header line" },
        { "a,b\n1,2\n3\n", ":3: 1 fields, but the header names 2" },
        { "a,b\n1,2,3\n", ":2: 3 fields, but the header names 2" },
        { "a,b,a\n", ":1: column \"a\" is there twice" },
        { "a,,b\n", ":1: column 2 has no name" },
        { "a,b\n1,\"2\n", ": not CSV: a quote is still open at the end" },
        { "a,b\n1,\"2\"3\n", ":2: not CSV: a quote inside of a field must be doubled, "
                             "and the field quoted" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *why = NULL;
        assert_null(read_text(bad[i].text, &why));
        assert_non_null(why);
        assert_non_null(strstr(why, bad[i].why));
    }
    const char *why;
    assert_null(read_bytes("a,b\n1,\0002\n", 9, &why));
    assert_non_null(strstr(why, ":2: a NUL byte: not a text"));
    assert_null(sp_table_load("/does/not/exist.csv", &why));
    assert_string_equal(why, "cannot read /does/not/exist.csv: No such file or directory");
}

static void test_bounds(void **state)
{
    (void)state;
    const char *why;
    enum { WIDE = 3000 };
    char text[2 * WIDE + 1];
    for (int i = 0; i < WIDE; i++)
        memcpy(text + 2 * i, "x,", 2);
    text[2 * WIDE] = 0;
    assert_null(read_text(text, &why));
    assert_non_null(strstr(why, ":1: more than 256 columns"));
}

static void test_data(void **state)
{
    (void)state;
    char folder[] = "test_data.XXXXXX", file[64];
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/profiles", folder);
    assert_return_code(mkdir(file, 0700), 0);
    snprintf(file, sizeof file, "%s/profiles/some.json", folder);
    fclose(fopen(file, "w"));
    const char *before = getenv("SEQPAR_DATA");
    char *kept = before ? strdup(before) : NULL;
    setenv("SEQPAR_DATA", folder, 1);
    assert_string_equal(sp_data_find("profiles", "some.json"), file);
    assert_string_equal(sp_data_find("profiles", file), file);
    assert_string_equal(sp_data_find("profiles", "none.json"), "none.json");
    fclose(fopen("some.json", "w"));
    assert_string_equal(sp_data_find("profiles", "some.json"), "some.json");
    assert_string_equal(sp_data_own("profiles", "some.json"), file);
    unlink("some.json");
    assert_return_code(mkdir("some.json", 0700), 0);
    assert_string_equal(sp_data_find("profiles", "some.json"), file);
    rmdir("some.json");
    if (kept)
        setenv("SEQPAR_DATA", kept, 1);
    free(kept);
    unlink(file);
    snprintf(file, sizeof file, "%s/profiles", folder);
    rmdir(file);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_cells, setup),
        cmocka_unit_test_setup(test_refusals, setup),
        cmocka_unit_test_setup(test_bounds, setup),
        cmocka_unit_test(test_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
