/* SPDX-License-Identifier: Apache-2.0 */
/*
 * result.c - writes result.json in one step, and reads it back with its checks
 */
#include "bench/result.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profiler/diag.h"

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Writes data to a new file at path and makes sure that it is on disk. */
static int write_synced(const char *path, const char *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int ret;

	if (fd < 0)
		return -errno;
	ret = write_all(fd, data, len);
	if (ret == 0)
		ret = write_all(fd, "\n", 1);
	if (ret == 0 && fsync(fd) < 0)
		ret = -errno;
	if (close(fd) < 0 && ret == 0)
		ret = -errno;
	if (ret < 0)
		unlink(path);
	return ret;
}

/* The new name is on disk once its folder is. Some file systems cannot sync a folder: no error. */
static void sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	int fd;

	if (slash == NULL)
		snprintf(folder, sizeof(folder), ".");
	else
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path + 1), path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fsync(fd) < 0 && errno == EIO)
		zb_warn("%s: fsync: %s", folder, strerror(EIO));
	close(fd);
}

int zb_result_write(const struct zb_result *r, const char *path)
{
	json_t *doc = zb_result_json(r);
	char *dump = doc != NULL ? json_dumps(doc, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : NULL;
	char tmp[PATH_MAX];
	int n, ret = 0;

	json_decref(doc);
	if (dump == NULL) {
		ret = -ENOMEM;
		goto say;
	}
	n = snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	if (n < 0 || (size_t)n >= sizeof(tmp)) {
		ret = -ENAMETOOLONG;
		goto free_dump;
	}
	ret = write_synced(tmp, dump, strlen(dump));
	if (ret < 0)
		goto free_dump;
	if (rename(tmp, path) < 0) {
		ret = -errno;
		unlink(tmp);
		goto free_dump;
	}
	sync_folder_of(path);

free_dump:
	free(dump);
say:
	if (ret < 0)
		zb_err("%s: cannot write the result: %s", path, strerror(-ret));
	return ret;
}

static int complain(const char *name, const char *why)
{
	zb_err("%s: not a result of zbench: %s", name, why);
	return -EINVAL;
}

int zb_result_check(const char *name, const json_t *root)
{
	const json_t *schema, *status;
	json_int_t version;

	if (!json_is_object(root))
		return complain(name, "no JSON object");
	schema = json_object_get(root, "schema");
	if (!json_is_integer(schema))
		return complain(name, "no schema number");
	version = json_integer_value(schema);
	if (version != ZB_RESULT_SCHEMA) {
		zb_err("%s: schema %" JSON_INTEGER_FORMAT
		       ": this zbench reads schema %d; write it anew "
		       "with this version",
		       name, version, ZB_RESULT_SCHEMA);
		return -EINVAL;
	}
	if (!json_is_object(json_object_get(root, "totals")))
		return complain(name, "no object totals");
	if (!json_is_array(json_object_get(root, "lcores")))
		return complain(name, "no array lcores");
	if (!json_is_object(json_object_get(root, "input")))
		return complain(name, "no object input");
	status = json_object_get(json_object_get(root, "verdict"), "status");
	if (!json_is_string(status))
		return complain(name, "no verdict.status");
	return 0;
}

int zb_result_read(const char *path, json_t **out)
{
	char in_folder[PATH_MAX];
	json_error_t err;
	struct stat st;
	json_t *root;
	FILE *f;
	int n, ret;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		n = snprintf(in_folder, sizeof(in_folder), "%s%sresult.json", path,
			     path[strlen(path) - 1] == '/' ? "" : "/");
		if (n > 0 && (size_t)n < sizeof(in_folder))
			path = in_folder;
	}
	f = fopen(path, "re");
	if (f == NULL) {
		ret = -errno;
		zb_err("%s: %s", path, strerror(-ret));
		return ret;
	}
	root = json_loadf(f, JSON_REJECT_DUPLICATES, &err);
	fclose(f);
	if (root == NULL) {
		zb_err("%s: line %d: not JSON: %s", path, err.line, err.text);
		return -EINVAL;
	}
	ret = zb_result_check(path, root);
	if (ret < 0) {
		json_decref(root);
		return ret;
	}
	*out = root;
	return 0;
}
