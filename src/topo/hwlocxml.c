/* hwlocxml.c - hwloc v2 XML, written as hwloc 2.9 itself would export it. */
/* SPDX-License-Identifier: MIT */
#include "topo/hwlocxml.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

enum { TO_ITSELF = 1000000, ROW = 10, SLOTS = 32, TEXT = 1024 };

static void indent(struct sp_hwlocxml *x)
{
    fprintf(x->out, "%*s", 2 * x->depth, "");
}

void sp_hwlocxml_begin(struct sp_hwlocxml *x, FILE *out)
{
    *x = (struct sp_hwlocxml){ .out = out, .depth = 1 };
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
          "<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">\n<topology version=\"2.0\">\n", out);
}

void sp_hwlocxml_end(struct sp_hwlocxml *x)
{
    assert(x->depth == 1);
    fputs("</topology>\n", x->out);
}

/* Begins <object; the caller closes the tag. */
static long object(struct sp_hwlocxml *x, const char *type)
{
    indent(x);
    fprintf(x->out, "<object type=\"%s\" gp_index=\"%ld\"", type, ++x->objects);
    x->depth++;
    return x->objects;
}

/* A set of bits: words of 32, the highest first. */
static void set(FILE *out, const char *name, struct sp_span s)
{
    const char *between = "";
    fprintf(out, " %s=\"", name);
    for (int word = (s.first + s.n - 1) / 32; word >= 0; word--, between = ",") {
        uint32_t bits = 0;
        for (int i = 0; i < 32; i++)
            if (32 * word + i >= s.first && 32 * word + i < s.first + s.n)
                bits |= UINT32_C(1) << i;
        fprintf(out, "%s0x%08" PRIx32, between, bits);
    }
    fputc('"', out);
}

static void sets(FILE *out, const char *before, struct sp_span cores, struct sp_span numas)
{
    char name[32];
    snprintf(name, sizeof name, "%scpuset", before);
    set(out, name, cores);
    snprintf(name, sizeof name, "%snodeset", before);
    set(out, name, numas);
}

long sp_hwlocxml_place(struct sp_hwlocxml *x, const char *type, int index,
                       struct sp_span cores, struct sp_span numas)
{
    long number = object(x, type);
    fprintf(x->out, " os_index=\"%d\"", index);
    sets(x->out, "", cores, numas);
    sets(x->out, "complete_", cores, numas);
    if (!strcmp(type, "Machine"))
        sets(x->out, "allowed_", cores, numas);
    fputs(">\n", x->out);
    return number;
}

void sp_hwlocxml_close(struct sp_hwlocxml *x)
{
    x->depth--;
    indent(x);
    fputs("</object>\n", x->out);
}

void sp_hwlocxml_host_bridge(struct sp_hwlocxml *x)
{
    object(x, "Bridge");
    fputs(" bridge_type=\"0-1\" depth=\"0\" bridge_pci=\"0000:[00-ff]\">\n", x->out);
}

/* A bus id that hwloc can hold: 0000:1b:00.0; or it must be invented. */
static bool bus_fits(const char *bus)
{
    unsigned domain, number, slot, function;
    char end;
    return bus && strlen(bus) < 16
           && sscanf(bus, "%x:%x:%x.%x%c", &domain, &number, &slot, &function, &end) == 4
           && domain <= 0xfffd && number <= 0xff && slot < SLOTS && function < 8;
}

long sp_hwlocxml_pci(struct sp_hwlocxml *x, int depth, const struct sp_pci *pci,
                     const char *subtype)
{
    unsigned domain = 0xfffe, bus = 0, slot = 0, function = 0;
    if (bus_fits(pci->bus)) {
        sscanf(pci->bus, "%x:%x:%x.%x", &domain, &bus, &slot, &function);
    } else {
        bus = (unsigned)x->invented / SLOTS;
        slot = (unsigned)x->invented++ % SLOTS;
    }
    long number = object(x, depth ? "Bridge" : "PCIDev");
    if (depth)
        fprintf(x->out, " bridge_type=\"1-1\" depth=\"%d\" bridge_pci=\"%04x:[%02x-%02x]\"",
                depth, domain, bus, bus);
    if (subtype)
        fprintf(x->out, " subtype=\"%s\"", subtype);
    fprintf(x->out, " pci_busid=\"%04x:%02x:%02x.%x\"", domain, bus, slot, function);
    fprintf(x->out, " pci_type=\"%04x [%04x:%04x] [0000:0000] 00\" pci_link_speed=\"%.6f\">\n",
            pci->class & 0xffff, pci->vendor & 0xffff, pci->device & 0xffff, pci->speed);
    return number;
}

/* Plain printable ASCII, so that any parser gets through; what isn't becomes '?'. */
static void text(FILE *out, const char *value)
{
    int left = TEXT;
    for (; *value && left; value++, left--) {
        switch (*value) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        default: fputc(isascii(*value) && isprint(*value) ? *value : '?', out);
        }
    }
}

long sp_hwlocxml_osdev(struct sp_hwlocxml *x, int type, const char *name, const char *subtype)
{
    long number = object(x, "OSDev");
    fputs(" name=\"", x->out);
    text(x->out, name);
    fputc('"', x->out);
    if (subtype)
        fprintf(x->out, " subtype=\"%s\"", subtype);
    fprintf(x->out, " osdev_type=\"%d\">\n", type);
    return number;
}

void sp_hwlocxml_info(struct sp_hwlocxml *x, const char *name, const char *value)
{
    indent(x);
    fprintf(x->out, "<info name=\"%s\" value=\"", name);
    text(x->out, value);
    fputs("\"/>\n", x->out);
}

/* ---- matrices ---- */

/* n words in pieces of ten, each with its length. */
static void pieces(struct sp_hwlocxml *x, const char *tag, long n,
                   void (*word)(char *to, size_t room, const void *from, long i),
                   const void *from)
{
    char piece[ROW * 64], one[64];
    for (long at = 0; at < n; at += ROW) {
        piece[0] = 0;
        for (long i = at; i < n && i < at + ROW; i++) {
            word(one, sizeof one, from, i);
            strcat(piece, one);
        }
        fprintf(x->out, "    <%s length=\"%zu\">%s</%s>\n", tag, strlen(piece), piece, tag);
    }
}

static void number_word(char *to, size_t room, const void *from, long i)
{
    snprintf(to, room, "%ld ", ((const struct sp_object *)from)[i].number);
}

static void named_word(char *to, size_t room, const void *from, long i)
{
    const struct sp_object *object = (const struct sp_object *)from + i;
    snprintf(to, room, "%s:%ld ", object->type, object->number);
}

struct square { int n; const uint64_t *mbps; };

static void value_word(char *to, size_t room, const void *from, long i)
{
    const struct square *s = from;
    snprintf(to, room, "%" PRIu64 " ", i % (s->n + 1) ? s->mbps[i] : TO_ITSELF);
}

void sp_hwlocxml_matrix(struct sp_hwlocxml *x, const char *name, int n,
                        const struct sp_object *object, const uint64_t *mbps)
{
    bool mixed = false;
    for (int i = 1; i < n; i++)
        mixed = mixed || strcmp(object[i].type, object[0].type);
    if (mixed)
        fprintf(x->out, "  <distances2hetero nbobjs=\"%d\" kind=\"25\" name=\"%s\">\n", n,
                name);
    else
        fprintf(x->out, "  <distances2 type=\"%s\" nbobjs=\"%d\" kind=\"9\" name=\"%s\" "
                "indexing=\"gp\">\n", object[0].type, n, name);
    pieces(x, "indexes", n, mixed ? named_word : number_word, object);
    pieces(x, "u64values", (long)n * n, value_word, &(struct square){ n, mbps });
    fprintf(x->out, "  </distances2%s>\n", mixed ? "hetero" : "");
}
