/* inventory.c - the end of one. */
/* SPDX-License-Identifier: MIT */
#include "topo/inventory.h"

#include <stdlib.h>

void sp_inventory_free(struct sp_inventory *v)
{
    if (!v)
        return;
    for (int i = 0; i < v->ndevices; i++) {
        free(v->device[i].names);
        free(v->device[i].model);
    }
    free(v->device);
    free(v->pair);
    free(v->numa);
    free(v->core);
    free(v->cpu);
    free(v);
}
