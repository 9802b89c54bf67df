/* hwloc_compat.h - the few things that hwloc 3 calls otherwise than hwloc 2. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_HWLOC_COMPAT_H
#define SP_HWLOC_COMPAT_H

#include <hwloc.h>
#include <hwloc/distances.h>
#include <stdbool.h>

static inline bool sp_hwloc_is_infiniband(hwloc_obj_t os)
{
#if HWLOC_API_VERSION >= 0x00030000
    return os->attr->osdev.types & HWLOC_OBJ_OSDEV_OPENFABRICS;
#else
    return os->attr->osdev.type == HWLOC_OBJ_OSDEV_OPENFABRICS;
#endif
}

static inline bool sp_hwloc_is_network(hwloc_obj_t os)
{
#if HWLOC_API_VERSION >= 0x00030000
    return os->attr->osdev.types & HWLOC_OBJ_OSDEV_NETWORK;
#else
    return os->attr->osdev.type == HWLOC_OBJ_OSDEV_NETWORK;
#endif
}

#endif
