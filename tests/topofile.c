/* topofile.c - files in the test's own folder. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/topofile.h"

static void put_file(char *path, const char *text)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

struct sp_topo *topofile_load(const char *text, const char *xml, const char **why)
{
    char path[] = "topofile.XXXXXX", xml_path[] = "topofile.xml.XXXXXX", all[16384];
    if (xml)
        put_file(xml_path, xml);
    const char *at = strstr(text, "%s");
    snprintf(all, sizeof all, "%.*s%s%s", (int)(at ? at - text : (long)strlen(text)), text,
             at ? xml_path : "", at ? at + 2 : "");
    put_file(path, all);
    struct sp_topo *t = sp_topo_load(path, why);
    unlink(path);
    if (xml)
        unlink(xml_path);
    if (!t) {
        assert_non_null(*why);
        if (strstr(*why, "needs hwloc"))
            skip();
        assert_memory_equal(*why, path, strlen(path));
        *why += strlen(path);
    }
    return t;
}

struct sp_topo *topofile_must(const char *text, const char *xml)
{
    const char *why = NULL;
    struct sp_topo *t = topofile_load(text, xml, &why);
    if (!t)
        fail_msg("%s", why);
    return t;
}

const char *topofile_wrong(const char *text, const char *xml)
{
    const char *why = NULL;
    struct sp_topo *t = topofile_load(text, xml, &why);
    if (t)
        fail_msg("\"%s\" was loaded", text);
    return why;
}

const char *topofile_find(const char *name)
{
    static char path[1024];
    const char *shared = getenv("SHARED"), *srcdir = getenv("srcdir"), *base = strrchr(name, '/');
    snprintf(path, sizeof path, "%s/topologies%s", srcdir ? srcdir : ".", base);
    if (!access(path, R_OK))
        return path;
    if (shared)
        snprintf(path, sizeof path, "%s/%s", shared, name);
    else
        snprintf(path, sizeof path, "%s/../shared/%s", srcdir ? srcdir : ".", name);
    return access(path, R_OK) ? NULL : path;
}

/* ---- XML ------------------------------------------------------------------------------- */

static void sets(struct xml *x, unsigned long cpus, unsigned long nodes)
{
    fprintf(x->out, " cpuset=\"0x%lx\" complete_cpuset=\"0x%lx\" nodeset=\"0x%lx\" "
            "complete_nodeset=\"0x%lx\" gp_index=\"%d\"", cpus, cpus, nodes, nodes, x->gp++);
}

/* A socket has one NUMA node and one core. */
static void socket_begin(struct xml *x)
{
    unsigned long bit = 1ul << x->socket;
    fprintf(x->out, "<object type=\"Package\" os_index=\"%d\"", x->socket);
    sets(x, bit, bit);
    fprintf(x->out, ">\n<object type=\"NUMANode\" os_index=\"%d\"", x->socket);
    sets(x, bit, bit);
    fprintf(x->out, " local_memory=\"1073741824\"/>\n<object type=\"Core\" os_index=\"%d\"",
            x->socket);
    sets(x, bit, bit);
    fprintf(x->out, "><object type=\"PU\" os_index=\"%d\"", x->socket);
    sets(x, bit, bit);
    fprintf(x->out, "/></object>\n");
}

void xml_begin(struct xml *x, int sockets)
{
    unsigned long all = (1ul << sockets) - 1;
    *x = (struct xml){ .gp = 1, .sockets = sockets };
    x->out = open_memstream(&x->text, &x->size);
    assert_non_null(x->out);
    fprintf(x->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">\n<topology version=\"2.0\">\n"
            "<object type=\"Machine\" os_index=\"0\" allowed_cpuset=\"0x%lx\" "
            "allowed_nodeset=\"0x%lx\"", all, all);
    sets(x, all, all);
    fprintf(x->out, ">\n");
    socket_begin(x);
}

void xml_socket_end(struct xml *x)
{
    fprintf(x->out, "</object>\n");
    if (++x->socket < x->sockets)
        socket_begin(x);
}

void xml_host(struct xml *x)
{
    fprintf(x->out, "<object type=\"Bridge\" gp_index=\"%d\" bridge_type=\"0-1\" depth=\"0\" "
            "bridge_pci=\"0000:[00-ff]\">\n", x->gp++);
}

void xml_bridge(struct xml *x, int depth, const char *id, double speed)
{
    fprintf(x->out, "<object type=\"Bridge\" gp_index=\"%d\" bridge_type=\"1-1\" depth=\"%d\" "
            "bridge_pci=\"0000:[%02x-%02x]\" pci_busid=\"0000:%02x:00.0\" "
            "pci_type=\"0604 [%s] [0000:0000] 00\" pci_link_speed=\"%f\">\n", x->gp, depth,
            x->gp % 256, x->gp % 256, x->gp % 256, id, speed);
    x->gp++;
}

void xml_close(struct xml *x) { fprintf(x->out, "</object>\n"); }

int xml_device(struct xml *x, const char *class, const char *id, const char *bus, double speed,
               const char *os, const char *info)
{
    char names[256], *rest = names, *name;
    int first = x->gp;
    fprintf(x->out, "<object type=\"PCIDev\" gp_index=\"%d\" pci_busid=\"%s\" "
            "pci_type=\"%s [%s] [0000:0000] 00\" pci_link_speed=\"%f\">\n", x->gp++, bus, class,
            id, speed);
    snprintf(names, sizeof names, "%s", os);
    while (*os && (name = strsep(&rest, ",")))
        fprintf(x->out, "<object type=\"OSDev\" gp_index=\"%d\" name=\"%s\" osdev_type=\"%d\">"
                "%s</object>\n", x->gp++, name, *name == 'e' ? 2 : 5, info);
    fprintf(x->out, "</object>\n");
    return *os ? first + 1 : first;
}

void xml_matrix(struct xml *x, int n, const char *const *object, const long *value)
{
    char list[2048] = "";
    size_t at = 0;
    for (int i = 0; i < n; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s ", object[i]);
    int used = snprintf(x->matrix, sizeof x->matrix, "<distances2hetero nbobjs=\"%d\" kind=\"25\" "
                        "name=\"NVLinkBandwidth\">\n<indexes length=\"%zu\">%s</indexes>\n", n,
                        strlen(list), list);
    for (int i = 0; i < n; i++) {
        at = 0;
        for (int j = 0; j < n; j++)
            at += (size_t)snprintf(list + at, sizeof list - at, "%ld ", value[i * n + j]);
        used += snprintf(x->matrix + used, sizeof x->matrix - (size_t)used,
                         "<u64values length=\"%zu\">%s</u64values>\n", strlen(list), list);
    }
    snprintf(x->matrix + used, sizeof x->matrix - (size_t)used, "</distances2hetero>\n");
}

char *xml_end(struct xml *x)
{
    fprintf(x->out, "</object>\n%s</topology>\n", x->matrix);
    fclose(x->out);
    return x->text;
}
