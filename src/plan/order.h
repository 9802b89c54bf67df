/* order.h - which step waits for which, derived from what they read and write. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_ORDER_H
#define SP_ORDER_H

#include "plan/plan.h"

/* The plan's last step reads, or is about to write, b. Reads come first. */
void sp_order_read (struct sp_plan *p, struct sp_block b);
void sp_order_write(struct sp_plan *p, struct sp_block b);

/* The plan's last step waits for step `on`. */
void sp_order_need(struct sp_plan *p, int on);

/* ... for those who read what it overwrites. In war.c, alone, so that a test can leave it
 * out and show that the tests of order notice. */
void sp_order_after_readers(struct sp_plan *p, const struct sp_box *x);

#endif
