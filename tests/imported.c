/* imported.c - running importers on texts, and looking at what they made. */
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

#include "tests/imported.h"

static const char *top(void)
{
    return getenv("srcdir") ? getenv("srcdir") : ".";
}

const struct sp_import_machine box = { "box.xml", NULL };

struct result import(importer run, const char *text, size_t bytes,
                     const struct sp_import_machine *machine, int n)
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

void release(struct result *r)
{
    free(r->out);
    free(r->notes);
}

char *read_file(const char *path, size_t *bytes)
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

char *read_sample(const char *name, size_t *bytes)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/tests/topo/%s", top(), name);
    return read_file(path, bytes);
}

void expect_refused(importer run, const char *text, const char *words)
{
    struct result r = import(run, text, strlen(text), &box, 1);
    if (!r.why || !strstr(r.why, words))
        fail_msg("\"%s\" has no '%s'", r.why ? r.why : "imported", words);
    release(&r);
}

/* What hwloc has to say about XML; skips where there is no hwloc. */
struct sp_inventory *look(const char *xml)
{
    char path[] = "test_import.XXXXXX";
    const char *why;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, xml, strlen(xml)), strlen(xml));
    close(fd);
    struct sp_inventory *v = sp_inventory_read(path, &why);
    unlink(path);
    if (!v && strstr(why, "built without"))
        skip();
    if (!v)
        fail_msg("%s", why);
    return v;
}

/* What an importer made can be loaded. */
struct sp_topo *load_text(const char *text)
{
    char path[] = "test_import.XXXXXX";
    const char *why;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    struct sp_topo *t = sp_topo_load(path, &why);
    unlink(path);
    if (!t && strstr(why, "built without"))
        skip();
    if (!t)
        fail_msg("%s", why);
    return t;
}

/* A machine of topologies/. */
struct sp_import_machine shipped_machine(const char *name)
{
    static char path[4200];
    snprintf(path, sizeof path, "%s/topologies/%s.xml", top(), name);
    return (struct sp_import_machine){ path, NULL };
}

/* Real files, which not everybody has. */
const char *shared(const char *name)
{
    static char path[4200];
    const char *folder = getenv("SHARED");
    if (folder)
        snprintf(path, sizeof path, "%s/%s", folder, name);
    else
        snprintf(path, sizeof path, "%s/../shared/%s", top(), name);
    if (access(path, R_OK))
        return NULL;
    return path;
}
