/* strip.c - a list of what may stay, since nobody knows all that a later hwloc will tell. */
/* SPDX-License-Identifier: MIT */
#include "topo/strip.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static const char *const harmless[] = {
    "Architecture", "Backend", "CPUFamilyNumber", "CPUModel", "CPUModelNumber", "CPURevision",
    "CPUStepping", "CPUVendor", "CUDACoresPerMP", "CUDAGlobalMemorySize", "CUDAL2CacheSize",
    "CUDAMultiProcessors", "CUDASharedMemorySizePerMP", "CXLDevice", "CXLRAMSize",
    "DMIProductName", "DMISysVendor", "GPUModel", "GPUVendor", "Inclusive", "LevelZeroHBMSize",
    "MemoryTier", "OpenCLComputeUnits", "OpenCLDeviceType", "OpenCLGlobalMemorySize", "PCIDevice",
    "PCISlot", "PCIVendor", "PlatformModel", "PlatformName", "RSMIVRAMSize", "seqpar:RateMbps",
};

static bool is_harmless(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (strlen(harmless[i]) == length && !strncmp(harmless[i], name, length))
            return true;
    return false;
}

/* Whether the line at `at`, one element, must not stay. */
static bool is_secret(const char *at)
{
    static const char begin[] = "<info name=\"";
    if (strncmp(at, begin, sizeof begin - 1))
        return !strncmp(at, "<info", 5) || !strncmp(at, "<userdata", 9);
    const char *name = at + sizeof begin - 1;
    return !is_harmless(name, strcspn(name, "\""));
}

/* enx0123456789ab, ibx...: names that are made of an address: how long, or 0. */
static size_t address_in(const char *name)
{
    size_t prefix = strcspn(name, "\""), n = 0;
    if (prefix < 8)
        return 0;
    for (const char *c = name + 1; n < 12 && c < name + prefix; c++)
        n = isxdigit((unsigned char)*c) ? n + 1 : 0;
    return n >= 12 ? prefix : 0;
}

/* A line, without an address in its name. */
static void copy(const char *line, size_t length, FILE *out)
{
    static const char name[] = " name=\"";
    const char *from = memmem(line, length, name, sizeof name - 1);
    size_t address = from ? address_in(from + sizeof name - 1) : 0;
    if (!address) {
        fwrite(line, 1, length, out);
        return;
    }
    from += sizeof name - 1;
    fwrite(line, 1, (size_t)(from - line), out);
    fprintf(out, "%.2s-unnamed", from);
    fwrite(from + address, 1, length - (size_t)(from - line) - address, out);
}

/* hwloc writes an element a line, whichever library it writes with. */
void sp_strip(const char *xml, const char *within, const char *after, FILE *out)
{
    static const char close[] = "</object>";
    const char *machine_end = NULL;
    for (const char *at = xml; (at = strstr(at, close)); at++)
        machine_end = at;
    for (const char *line = xml; *line;) {
        size_t length = strcspn(line, "\n");
        length += line[length] == '\n';
        const char *element = line + strspn(line, " \t");
        bool last = element == machine_end;
        if (last)
            fputs(within, out);
        if (!is_secret(element))
            copy(line, length, out);
        if (last)
            fputs(after, out);
        line += length;
    }
}
