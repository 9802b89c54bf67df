/* nohwloc.c - in place of hwloc.c, where there is no hwloc. */
/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "topo/inventory.h"
#include "util/why.h"

struct sp_inventory *sp_inventory_read(const char *path, const char **why)
{
    *why = sp_why("%s: reading machines needs hwloc, which this seqpar was built without; "
                  "install libhwloc-dev and configure it anew, or describe machines with "
                  "ranks= in a cluster file", path ? path : "this machine");
    return NULL;
}
