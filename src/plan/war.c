/* war.c - write after read: what is still being read is not overwritten. */
/* SPDX-License-Identifier: MIT */
#include "plan/order.h"

void sp_order_after_readers(struct sp_plan *p, const struct sp_box *x)
{
    for (int i = 0; i < x->nreaders; i++)
        sp_order_need(p, x->reader[i]);
}
