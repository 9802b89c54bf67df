/* strip.h - hwloc's XML without what tells whose machine it is. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_STRIP_H
#define SP_STRIP_H

#include <stdio.h>

/* Copies hwloc XML, leaving out every <info> but those that are known to be harmless, and
 * addresses that are a device's name. `within` goes inside the machine, behind all
 * else in it; `after` behind the machine. */
void sp_strip(const char *xml, const char *within, const char *after, FILE *out);

#endif
