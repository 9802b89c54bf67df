/* region.h - what each part of a buffer holds, and which steps touched it last.
 *
 * A region is a set of disjoint boxes (planes x rows x heads). Writing a box cuts away
 * what it covers. The plan's builder uses regions to derive order and to follow
 * positions; the proof keeps its own to follow what has been computed. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_REGION_H
#define SP_REGION_H

#include <stdbool.h>

/* Part of a buffer: planes x rows x heads. Small, since plans hold millions. */
struct sp_block {
    int   buf;
    int   row, rows;
    short head, heads;
    signed char plane, planes;
};

/* Row i holds the place number skip + i of list `list`; the first head is the model's
 * head `head`. `value` is the proof's: what has been summed into it. */
struct sp_content { int list, skip, head, value; };

struct sp_box {
    struct sp_block b;
    struct sp_content is;
    int  writer;                /* the step that wrote it; -1: an input */
    int *reader, nreaders;      /* the steps that read it since */
};

struct sp_region { struct sp_box *box; int nboxes; };

void sp_region_free(struct sp_region *g);

/* The block holds `is` from now on, written by `step`; nobody has read it yet. */
void sp_region_write(struct sp_region *g, struct sp_block b, struct sp_content is, int step);

/* Cut boxes at the sides of b, so that what is read of them is told from what is not. */
void sp_region_cut(struct sp_region *g, struct sp_block b);

void sp_box_read(struct sp_box *x, int step);

/* Boxes that overlap b, one after another: start with *i = 0; NULL ends. */
struct sp_box *sp_region_next(const struct sp_region *g, struct sp_block b, int *i);

/* Of two blocks of one buffer. */
bool sp_block_same(struct sp_block a, struct sp_block b);
bool sp_block_overlaps(struct sp_block a, struct sp_block b);
struct sp_block sp_block_common(struct sp_block a, struct sp_block b);
long sp_block_area(struct sp_block b);          /* planes x rows x heads */

/* What box x says of the part b of it. */
struct sp_content sp_box_part(const struct sp_box *x, struct sp_block b);

/* `to` comes to hold what `from` holds, box by box (a copy or a message; the blocks have
 * equal shapes). False when part of `from` was never written. */
bool sp_region_carry(struct sp_region *to, struct sp_block tb, const struct sp_region *from,
                     struct sp_block fb, int step);

#endif
