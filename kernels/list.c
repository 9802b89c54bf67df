/* list.c - the kernel sets that were built in, and the one this processor should use.
 * The only file that knows what was built. */
/* SPDX-License-Identifier: MIT */
#include "kernels/kernels.h"

#include <string.h>

extern const struct sp_kernels sp_kernels_reference, sp_kernels_portable,
    sp_kernels_avx2, sp_kernels_avx512, sp_kernels_avx512bf16;

/* Slowest first: "cpu" is the last that runs. */
const struct sp_kernels *const sp_kernel_sets[] = {
    &sp_kernels_reference,
    &sp_kernels_portable,
#ifdef HAVE_AVX2
    &sp_kernels_avx2,
#endif
#ifdef HAVE_AVX512
    &sp_kernels_avx512,
#endif
#ifdef HAVE_AVX512BF16
    &sp_kernels_avx512bf16,
#endif
    NULL
};

#ifdef HAVE_AVX2
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

#if defined HAVE_AVX512 || defined HAVE_AVX512BF16
static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

#ifdef HAVE_AVX512BF16
static bool has_avx512bf16(void)
{
    return has_avx512() && __builtin_cpu_supports("avx512bf16");
}
#endif

/* What this processor would have to have for a set that it can't run. */
static const struct need {
    const char *name;
    bool (*met)(void);
    const char *else_why;
} needs[] = {
#ifdef HAVE_AVX2
    { "avx2", has_avx2,
      "kernels avx2 need a processor with AVX2 and FMA: use cpu or portable" },
#endif
#ifdef HAVE_AVX512
    { "avx512", has_avx512,
      "kernels avx512 need a processor with AVX-512 F, BW, DQ and VL: use cpu or avx2" },
#endif
#ifdef HAVE_AVX512BF16
    { "avx512bf16", has_avx512bf16,
      "kernels avx512bf16 need a processor with AVX512_BF16: use cpu or avx512" },
#endif
    { NULL, NULL, NULL }
};

/* NULL, or why this processor can't run the set. */
static const char *refuse(const char *name)
{
    for (const struct need *n = needs; n->name; n++)
        if (strcmp(n->name, name) == 0 && !n->met())
            return n->else_why;
    return NULL;
}

const struct sp_kernels *sp_kernels_find(const char *name, const char **why)
{
    const bool best = strcmp(name, "cpu") == 0;
    const struct sp_kernels *found = NULL;
    *why = "no kernels of that name were built in: use cpu, portable or reference";

    for (int i = 0; sp_kernel_sets[i]; i++) {
        const struct sp_kernels *set = sp_kernel_sets[i];
        if (!best && strcmp(set->name, name) != 0)
            continue;
        const char *no = refuse(set->name);
        if (no)
            *why = no;
        else
            found = set;
    }
    if (found)
        *why = NULL;
    return found;
}
