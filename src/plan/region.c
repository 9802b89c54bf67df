/* region.c - boxes that are cut when something is written over them. */
/* SPDX-License-Identifier: MIT */
#include "plan/region.h"

#include <stdlib.h>

#include "util/memory.h"

static bool meet(int a, int na, int b, int nb) { return a < b + nb && b < a + na; }

static int max(int a, int b) { return a > b ? a : b; }

static int min(int a, int b) { return a < b ? a : b; }

bool sp_block_overlaps(struct sp_block a, struct sp_block b)
{
    return meet(a.row, a.rows, b.row, b.rows) && meet(a.head, a.heads, b.head, b.heads)
           && meet(a.plane, a.planes, b.plane, b.planes);
}

struct sp_block sp_block_common(struct sp_block a, struct sp_block b)
{
    struct sp_block c = a;
    c.row = max(a.row, b.row);
    c.rows = min(a.row + a.rows, b.row + b.rows) - c.row;
    c.head = (short)max(a.head, b.head);
    c.heads = (short)(min(a.head + a.heads, b.head + b.heads) - c.head);
    c.plane = (signed char)max(a.plane, b.plane);
    c.planes = (signed char)(min(a.plane + a.planes, b.plane + b.planes) - c.plane);
    return c;
}

bool sp_block_same(struct sp_block a, struct sp_block b)
{
    return a.buf == b.buf && a.row == b.row && a.rows == b.rows && a.head == b.head
           && a.heads == b.heads && a.plane == b.plane && a.planes == b.planes;
}

long sp_block_area(struct sp_block b) { return (long)b.planes * b.rows * b.heads; }

struct sp_content sp_box_part(const struct sp_box *x, struct sp_block b)
{
    struct sp_content c = x->is;
    c.skip += b.row - x->b.row;
    c.head += b.head - x->b.head;
    return c;
}

void sp_region_free(struct sp_region *g)
{
    for (int i = 0; i < g->nboxes; i++)
        free(g->box[i].reader);
    free(g->box);
    *g = (struct sp_region){ 0 };
}

void sp_box_read(struct sp_box *x, int step)
{
    x->reader = sp_grow(x->reader, x->nreaders, sizeof *x->reader);
    x->reader[x->nreaders++] = step;
}

struct sp_box *sp_region_next(const struct sp_region *g, struct sp_block b, int *i)
{
    while (*i < g->nboxes) {
        struct sp_box *x = &g->box[(*i)++];
        if (sp_block_overlaps(x->b, b))
            return x;
    }
    return NULL;
}

static void add(struct sp_region *g, struct sp_box x)
{
    g->box = sp_grow(g->box, g->nboxes, sizeof *g->box);
    g->box[g->nboxes++] = x;
}

/* The part of old that is b stays, with the readers that old had. */
static void keep(struct sp_region *g, const struct sp_box *old, struct sp_block b)
{
    if (b.rows <= 0 || b.heads <= 0 || b.planes <= 0)
        return;
    struct sp_box x = { .b = b, .is = sp_box_part(old, b), .writer = old->writer };
    for (int i = 0; i < old->nreaders; i++)
        sp_box_read(&x, old->reader[i]);
    add(g, x);
}

/* Keep what of box `old` lies outside b: below and above it in planes, then rows, then
 * heads.
 *              +-----------+
 *              |   above   |
 *              +--+-----+--+
 *              |  |  b  |  |    rows up, heads across
 *              +--+-----+--+
 *              |   below   |
 *              +-----------+                                                         */
static void keep_outside(struct sp_region *g, const struct sp_box *old, struct sp_block b)
{
    struct sp_block in = sp_block_common(old->b, b), rest = old->b, part;

    part = rest;
    part.planes = (signed char)(in.plane - rest.plane);
    keep(g, old, part);
    part.plane = (signed char)(in.plane + in.planes);
    part.planes = (signed char)(rest.plane + rest.planes - part.plane);
    keep(g, old, part);
    rest.plane = in.plane;
    rest.planes = in.planes;

    part = rest;
    part.rows = in.row - rest.row;
    keep(g, old, part);
    part.row = in.row + in.rows;
    part.rows = rest.row + rest.rows - part.row;
    keep(g, old, part);
    rest.row = in.row;
    rest.rows = in.rows;

    part = rest;
    part.heads = (short)(in.head - rest.head);
    keep(g, old, part);
    part.head = (short)(in.head + in.heads);
    part.heads = (short)(rest.head + rest.heads - part.head);
    keep(g, old, part);
}

void sp_region_cut(struct sp_region *g, struct sp_block b)
{
    for (int i = 0; i < g->nboxes;) {
        struct sp_box old = g->box[i];
        struct sp_block in = sp_block_common(old.b, b);
        if (!sp_block_overlaps(old.b, b) || sp_block_same(old.b, in)) {
            i++;
            continue;
        }
        g->box[i] = g->box[--g->nboxes];
        keep_outside(g, &old, b);
        keep(g, &old, in);
        free(old.reader);
    }
}

void sp_region_write(struct sp_region *g, struct sp_block b, struct sp_content is, int step)
{
    for (int i = 0; i < g->nboxes;) {
        struct sp_box old = g->box[i];
        if (sp_block_same(old.b, b)) {        /* the usual case: the same box again */
            g->box[i].is = is;
            g->box[i].writer = step;
            g->box[i].nreaders = 0;
            free(old.reader);
            g->box[i].reader = NULL;
            return;
        }
        if (!sp_block_overlaps(old.b, b)) {
            i++;
            continue;
        }
        g->box[i] = g->box[--g->nboxes];
        keep_outside(g, &old, b);
        free(old.reader);
    }
    add(g, (struct sp_box){ .b = b, .is = is, .writer = step });
}

bool sp_region_carry(struct sp_region *to, struct sp_block tb, const struct sp_region *from,
                     struct sp_block fb, int step)
{
    int n = 0;
    struct sp_box *found = NULL;    /* first all, then write: to may be from */
    long area = 0;
    struct sp_box *x;
    for (int i = 0; (x = sp_region_next(from, fb, &i));) {
        struct sp_block part = sp_block_common(x->b, fb);
        found = sp_grow(found, n, sizeof *found);
        found[n++] = (struct sp_box){ .b = part, .is = sp_box_part(x, part) };
        area += sp_block_area(part);
    }
    for (int i = 0; i < n; i++) {
        struct sp_block part = found[i].b;
        part.buf = tb.buf;
        part.row += tb.row - fb.row;
        part.head = (short)(part.head + tb.head - fb.head);
        part.plane = (signed char)(part.plane + tb.plane - fb.plane);
        sp_region_write(to, part, found[i].is, step);
    }
    free(found);
    return area == sp_block_area(fb);
}
