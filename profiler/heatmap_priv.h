/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heatmap_priv.h - the texts of a heat map's page: the files of these names
 *
 * Threading: constants.
 */
#ifndef ZB_PROFILER_HEATMAP_PRIV_H
#define ZB_PROFILER_HEATMAP_PRIV_H

extern const char zb_heatmap_html[], zb_heatmap_samples_js[], zb_heatmap_flame_js[],
	zb_heatmap_map_js[];

#endif
