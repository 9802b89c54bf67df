/* heap.h - a heap of four: what has the smallest key is on top. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_HEAP_H
#define SP_HEAP_H

struct sp_beat { double key; int what; };
struct sp_heap { struct sp_beat *beat; int n, room; };

/* place[what] is kept where each is, to be found again (NULL: none will be). */
void sp_heap_push(struct sp_heap *h, int *place, double key, int what);
void sp_heap_remove(struct sp_heap *h, int *place, int at);
void sp_heap_change(struct sp_heap *h, int *place, int at, double key);

/* Make a heap of what lies in it in any order. */
void sp_heap_order(struct sp_heap *h, int *place);

#endif
