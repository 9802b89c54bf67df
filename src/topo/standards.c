/* standards.c - tables of links. */
/* SPDX-License-Identifier: MIT */
#include "topo/standards.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(table) ((int)(sizeof (table) / sizeof *(table)))

/* nvmlNvlinkVersion_t: 1.0, 2.0, 2.2, 3.0, 3.1, 4.0, 5.0 */
int sp_nvlink_rate(int version)
{
    static const int rate[] = { 0, 20000, 25000, 25000, 25000, 25000, 25000, 50000 };
    return version > 0 && version < COUNT(rate) ? rate[version] : 0;
}

int sp_nvlink_rate_of_sm(int sm)
{
    static const struct { int sm, rate; } known[] = {
        { 60, 20000 }, { 61, 0 }, { 70, 25000 }, { 72, 25000 }, { 75, 25000 }, { 80, 25000 },
        { 86, 14062 }, { 89, 0 }, { 90, 25000 }, { 100, 50000 }, { 103, 50000 }, { 120, 0 },
        { 121, 0 },
    };
    for (int i = 0; i < COUNT(known); i++)
        if (known[i].sm == sm)
            return known[i].rate;
    return -1;
}

int sp_xgmi_rate(const char *gcn)
{
    static const struct { const char *gcn; int rate; } known[] = {
        { "906", 46000 }, { "908", 46000 }, { "90a", 50000 }, { "910", 50000 },
        { "940", 64000 }, { "941", 64000 }, { "942", 64000 }, { "950", 76800 },
    };
    if (!strncmp(gcn, "gfx", 3))
        gcn += 3;
    for (int i = 0; i < COUNT(known); i++)
        if (!strncmp(gcn, known[i].gcn, 3) && (!gcn[3] || gcn[3] == ':'))
            return known[i].rate;
    return -1;
}

double sp_pcie_rate(const char *speed, int lanes)
{
    static const struct { double transfers, lane; } generation[] = {    /* GT/s, GB/s */
        { 2.5, 2.5 * 8 / 10 / 8 }, { 5, 5. * 8 / 10 / 8 }, { 8, 8. * 128 / 130 / 8 },
        { 16, 16. * 128 / 130 / 8 }, { 32, 32. * 128 / 130 / 8 }, { 64, 64. * 242 / 256 / 8 },
    };
    char *unit;
    double transfers = speed ? strtod(speed, &unit) : 0;
    if (!speed || unit == speed || strncmp(unit, " GT/s", 5) || lanes < 1 || lanes > 32)
        return 0;
    for (int i = 0; i < COUNT(generation); i++)
        if (generation[i].transfers == transfers)
            return lanes * generation[i].lane;
    return 0;
}

bool sp_pcie_emulated(unsigned vendor, unsigned device)
{
    static const struct { unsigned vendor, device; } bridge[] = {
        { 0x104c, 0x8232 }, { 0x1b36, 0x000c }, { 0x1d0f, 0x0200 } };
    for (int i = 0; i < COUNT(bridge); i++)
        if (vendor == bridge[i].vendor && device == bridge[i].device)
            return true;
    return false;
}

int sp_ib_rate(const char *width_and_speed)
{
    static const struct { const char *name; double lane; } speed[] = {  /* Mb/s, after coding */
        { "SDR", 2000 }, { "DDR", 4000 }, { "QDR", 8000 }, { "FDR10", 10000 },
        { "FDR", 13636.36 }, { "EDR", 25000 }, { "HDR", 50000 }, { "NDR", 100000 },
        { "XDR", 200000 },
    };
    char *name;
    long width = strtol(width_and_speed, &name, 10);
    if (name == width_and_speed || *name++ != 'x' || width < 1 || width > 12)
        return 0;
    for (int i = 0; i < COUNT(speed); i++)
        if (!strcmp(name, speed[i].name))
            return (int)(width * speed[i].lane);
    return 0;
}
