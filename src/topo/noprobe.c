/* noprobe.c - nothing is looked at: built without hwloc. */
/* SPDX-License-Identifier: MIT */
#include "topo/probe.h"

#include "util/why.h"

const char *sp_probe_write(FILE *out, FILE *notes)
{
    (void)out, (void)notes;
    return sp_why("this seqpar was built without hwloc; install libhwloc-dev, then run "
                  "configure again");
}
