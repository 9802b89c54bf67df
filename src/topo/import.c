/* import.c - the formats that can be imported. */
/* SPDX-License-Identifier: MIT */
#include "topo/import.h"

#include <stddef.h>

const struct sp_importer sp_importers[] = {
    { "nccl", "a machine, from NCCL's or RCCL's NCCL_TOPO_DUMP_FILE", false, sp_import_nccl },
    { "slurm", "a network, from Slurm's topology.conf", true, sp_import_slurm },
    { "ibnetdiscover", "a network, from what ibnetdiscover prints", true, sp_import_ib },
    { NULL }
};
