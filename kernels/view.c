/* view.c - single elements of a block, and the two number formats they are stored in. */
/* SPDX-License-Identifier: MIT */
#include "kernels/kernels.h"

#include <stdint.h>
#include <string.h>

float sp_bf16_widen(unsigned short x)
{
    const uint32_t bits = (uint32_t)x << 16;
    float wide;
    memcpy(&wide, &bits, sizeof wide);
    return wide;
}

unsigned short sp_bf16_round(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (x != x)                     /* rounding up could carry a NaN into an infinity */
        return (unsigned short)(bits >> 16 | 0x40);
    bits += 0x7fff + (bits >> 16 & 1);
    return (unsigned short)(bits >> 16);
}

float sp_view_get(const struct sp_view *v, long i)
{
    if (v->dtype == SP_F32)
        return ((const float *)v->data)[i];
    return sp_bf16_widen(((const unsigned short *)v->data)[i]);
}

void sp_view_set(const struct sp_view *v, long i, double x)
{
    if (v->dtype == SP_F32)
        ((float *)v->data)[i] = (float)x;
    else
        ((unsigned short *)v->data)[i] = sp_bf16_round((float)x);
}
