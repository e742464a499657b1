/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topo_tree.c - hwloc's tree reduced to what a picture of a placement shows
 *
 * package > NUMA node > L3 cache > core > CPU, as far as the machine has them. hwloc hangs memory
 * beside the tree of CPUs; here a node that covers all CPUs of its parent becomes a level of its
 * own.
 */
#include "profiler/topology_priv.h"

#include <stdlib.h>
#include <string.h>

char *zb_topo_size(uint64_t bytes, char *buf, size_t size)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
	double v = (double)bytes;
	unsigned u = 0;

	for (; v >= 1024 && u < 4; u++)
		v /= 1024;
	if (v < 9.95 && (unsigned)(v * 10 + 0.5) % 10 != 0)
		snprintf(buf, size, "%.1f %s", v, units[u]);
	else
		snprintf(buf, size, "%.0f %s", v, units[u]);
	return buf;
}

static unsigned number_of(hwloc_obj_t obj)
{
	return obj->os_index != HWLOC_UNKNOWN_INDEX ? obj->os_index : obj->logical_index;
}

static void set_title(struct zb_box *box, hwloc_obj_t obj)
{
	const char *model;
	char text[32];

	switch (box->kind) {
	case ZB_BOX_PACKAGE:
		model = hwloc_obj_get_info_by_name(obj, "CPUModel");
		snprintf(box->title, sizeof(box->title), "package %u%s%.80s", box->id,
			 model ? ", " : "", model ? model : "");
		break;
	case ZB_BOX_NUMA:
		snprintf(box->title, sizeof(box->title), "NUMA node %u, %s", box->id,
			 obj->attr->numanode.local_memory == 0
				 ? "no memory"
				 : zb_topo_size(obj->attr->numanode.local_memory, text,
						sizeof(text)));
		break;
	case ZB_BOX_L3:
		if (obj->attr->cache.size == 0)
			snprintf(box->title, sizeof(box->title), "L3 cache");
		else
			snprintf(box->title, sizeof(box->title), "L3 cache %s",
				 zb_topo_size(obj->attr->cache.size, text, sizeof(text)));
		break;
	case ZB_BOX_CORE: snprintf(box->title, sizeof(box->title), "core %u", box->id); break;
	case ZB_BOX_PU: snprintf(box->title, sizeof(box->title), "CPU %u", box->id); break;
	case ZB_BOX_MACHINE: snprintf(box->title, sizeof(box->title), "machine"); break;
	}
}

static struct zb_box *add_box(struct zb_box *parent, enum zb_box_kind kind, hwloc_obj_t obj)
{
	struct zb_box *box = calloc(1, sizeof(*box)), **at;

	if (box == NULL)
		return NULL;
	box->kind = kind;
	box->id = number_of(obj);
	set_title(box, obj);
	if (parent != NULL) {
		for (at = &parent->child; *at != NULL; at = &(*at)->next)
			;
		*at = box;
	}
	return box;
}

/*
 * Adds the nodes below a memory child; *inner becomes the first one that covers all of obj's CPUs.
 */
static bool add_memory(struct zb_box *parent, hwloc_obj_t mem, hwloc_obj_t obj,
		       struct zb_box **inner)
{
	for (; mem != NULL; mem = mem->next_sibling) {
		struct zb_box *box;

		if (mem->type != HWLOC_OBJ_NUMANODE) { /* a memory-side cache */
			if (!add_memory(parent, mem->memory_first_child, obj, inner))
				return false;
			continue;
		}
		box = add_box(parent, ZB_BOX_NUMA, mem);
		if (box == NULL)
			return false;
		if (*inner == NULL && hwloc_bitmap_isincluded(obj->cpuset, mem->cpuset))
			*inner = box;
	}
	return true;
}

static bool kind_of(hwloc_obj_t obj, enum zb_box_kind *kind)
{
	switch (obj->type) {
	case HWLOC_OBJ_MACHINE: *kind = ZB_BOX_MACHINE; return true;
	case HWLOC_OBJ_PACKAGE: *kind = ZB_BOX_PACKAGE; return true;
	case HWLOC_OBJ_L3CACHE: *kind = ZB_BOX_L3; return true;
	case HWLOC_OBJ_CORE: *kind = ZB_BOX_CORE; return true;
	case HWLOC_OBJ_PU: *kind = ZB_BOX_PU; return true;
	default: return false;
	}
}

/* Recursion is as deep as hwloc's tree: a dozen levels. */
static bool add_tree(struct zb_box *box, hwloc_obj_t obj)
{
	struct zb_box *inner = NULL;

	if (!add_memory(box, obj->memory_first_child, obj, &inner))
		return false;
	if (inner != NULL)
		box = inner;
	for (hwloc_obj_t c = obj->first_child; c != NULL; c = c->next_sibling) {
		struct zb_box *child = box;
		enum zb_box_kind kind;

		if (kind_of(c, &kind))
			child = add_box(box, kind, c);
		if (child == NULL || !add_tree(child, c))
			return false;
	}
	return true;
}

/*
 * The only node has all memory. A virtual machine's kernel may count memory that was plugged in
 * late for the machine but not for the node, and the two figures would contradict each other.
 */
static void title_only_node(const struct zb_topo *t, struct zb_box *box)
{
	struct zb_host h;
	char text[32];

	zb_topo_host_facts(t, &h);
	for (; box != NULL && box->kind != ZB_BOX_NUMA; box = box->child)
		;
	if (box != NULL)
		snprintf(box->title, sizeof(box->title), "NUMA node %u, %s", box->id,
			 zb_topo_size(h.mem_total_bytes, text, sizeof(text)));
}

struct zb_box *zb_topo_boxes(const struct zb_topo *t)
{
	hwloc_obj_t root = hwloc_get_root_obj(t->hw);
	struct zb_box *box = add_box(NULL, ZB_BOX_MACHINE, root);

	if (box != NULL && !add_tree(box, root)) {
		zb_topo_boxes_free(box);
		return NULL;
	}
	if (box != NULL && hwloc_get_nbobjs_by_type(t->hw, HWLOC_OBJ_NUMANODE) == 1)
		title_only_node(t, box);
	return box;
}

void zb_topo_boxes_free(struct zb_box *box)
{
	while (box != NULL) {
		struct zb_box *next = box->next;

		zb_topo_boxes_free(box->child);
		free(box);
		box = next;
	}
}

char *zb_topo_small_caches(const struct zb_topo *t, char *buf, size_t size)
{
	static const struct {
		hwloc_obj_type_t type;
		const char *name;
	} levels[] = {{HWLOC_OBJ_L1CACHE, "L1d"},
		      {HWLOC_OBJ_L1ICACHE, "L1i"},
		      {HWLOC_OBJ_L2CACHE, "L2"}};
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		hwloc_obj_t obj = hwloc_get_obj_by_type(t->hw, levels[i].type, 0);
		char text[32];
		int n;

		if (obj == NULL || obj->attr->cache.size == 0)
			continue;
		n = snprintf(buf + len, size - len, "%s%s %s", len ? ", " : "", levels[i].name,
			     zb_topo_size(obj->attr->cache.size, text, sizeof(text)));
		if (n < 0 || (size_t)n >= size - len)
			break;
		len += (size_t)n;
	}
	return buf;
}

static const char *plural(unsigned n)
{
	return n == 1 ? "" : "s";
}

char *zb_topo_summary(const struct zb_topo *t, char *buf, size_t size)
{
	struct zb_host h;
	char mem[32];

	zb_topo_host_facts(t, &h);
	snprintf(buf, size, "%s: %u CPU%s in %u core%s, %u package%s, %u NUMA node%s, %s%s%s%s%s",
		 h.cpu_model, h.cpus_online, plural(h.cpus_online), h.cores, plural(h.cores),
		 h.packages, plural(h.packages), h.numa_nodes, plural(h.numa_nodes),
		 zb_topo_size(h.mem_total_bytes, mem, sizeof(mem)), h.kernel[0] ? ", " : "",
		 h.kernel, h.hypervisor[0] ? ", virtual: " : "", h.hypervisor);
	return buf;
}
