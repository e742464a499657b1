/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics_http.c - see metrics_http.h
 *
 * The thread polls libmicrohttpd and, after each turn, shuts connections down that have had their
 * time. The library's own time-out is for silence only: a client that sends a byte now and then
 * would never meet it.
 */
#include "profiler/metrics_http.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "profiler/clock.h"

#define TURN_MS	  100
#define SILENCE_S 5u
#define BACKLOG	  32

static char home[] = "<!DOCTYPE html><title>zbench</title><p>zbench " ZB_VERSION
		     ": <a href=\"/metrics\">metrics</a>\n";
static char no_page[] = "no such page; there is /metrics\n";
static char no_method[] = "only GET and HEAD are answered\n";
static char no_memory[] = "out of memory\n";

struct conn {
	int fd; /* -1: free */
	double until_s;
};

struct zb_metrics_http {
	struct MHD_Daemon *daemon;
	struct zb_metrics *metrics;
	pthread_t thread;
	atomic_bool stop;
	atomic_uint age; /* text of another age is not taken again */
	/* The thread's alone. */
	struct conn conn[ZB_METRICS_CONNS_MAX];
	struct MHD_Response *made[2]; /* by format; NULL: none yet */
	unsigned made_age[2];
	double made_s[2];
};

/* ---- answers ---- */

static struct MHD_Response *response(char *text, size_t len, enum MHD_ResponseMemoryMode mode,
				     const char *type)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(len, text, mode);

	if (r == NULL)
		return NULL;
	/* One request each: the deadline is the request's. */
	if (MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES &&
	    MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES)
		return r;
	MHD_destroy_response(r);
	return NULL;
}

static enum MHD_Result say(struct MHD_Connection *c, unsigned status, char *text, const char *type)
{
	struct MHD_Response *r = response(text, strlen(text), MHD_RESPMEM_PERSISTENT, type);
	enum MHD_Result ret = MHD_NO;

	if (r == NULL)
		return MHD_NO;
	if (status != MHD_HTTP_METHOD_NOT_ALLOWED ||
	    MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD") == MHD_YES)
		ret = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return ret;
}

/* The text in a format, made anew unless that was only just done. */
static struct MHD_Response *metrics(struct zb_metrics_http *h, enum zb_metrics_format format)
{
	unsigned age = atomic_load(&h->age);
	double now = zb_clock_s();
	struct MHD_Response *r;
	char *text;
	size_t len;

	if (h->made[format] != NULL && h->made_age[format] == age &&
	    now - h->made_s[format] < ZB_METRICS_FRESH_S)
		return h->made[format];
	if (zb_metrics_text(h->metrics, format, &text, &len) < 0)
		return NULL;
	r = response(text, len, MHD_RESPMEM_MUST_FREE, zb_metrics_type[format]);
	if (r == NULL)
		return NULL; /* the text may or may not have been freed with it */
	if (h->made[format] != NULL)
		MHD_destroy_response(h->made[format]);
	h->made[format] = r;
	h->made_age[format] = age;
	h->made_s[format] = now;
	return r;
}

static enum MHD_Result answer(void *cls, struct MHD_Connection *c, const char *url,
			      const char *method, const char *version, const char *body,
			      size_t *body_len, void **request)
{
	struct zb_metrics_http *h = cls;
	struct MHD_Response *r;
	const char *accept;

	(void)version;
	(void)body;
	(void)body_len;
	(void)request;
	/* At once, without waiting for a body: nobody needs one. */
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return say(c, MHD_HTTP_METHOD_NOT_ALLOWED, no_method, "text/plain");
	if (strcmp(url, "/") == 0)
		return say(c, MHD_HTTP_OK, home, "text/html; charset=utf-8");
	if (strcmp(url, "/metrics") != 0)
		return say(c, MHD_HTTP_NOT_FOUND, no_page, "text/plain");
	accept = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
	r = metrics(h, zb_metrics_accept(accept));
	if (r == NULL)
		return say(c, MHD_HTTP_SERVICE_UNAVAILABLE, no_memory, "text/plain");
	return MHD_queue_response(c, MHD_HTTP_OK, r);
}

/* ---- deadlines ---- */

static void noted(void *cls, struct MHD_Connection *c, void **place,
		  enum MHD_ConnectionNotificationCode code)
{
	struct zb_metrics_http *h = cls;
	const union MHD_ConnectionInfo *info;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (*place != NULL)
			((struct conn *)*place)->fd = -1;
		return;
	}
	info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	for (unsigned i = 0; info != NULL && i < ZB_METRICS_CONNS_MAX; i++) {
		if (h->conn[i].fd >= 0)
			continue;
		h->conn[i] = (struct conn){info->connect_fd, zb_clock_s() + ZB_METRICS_DEADLINE_S};
		*place = &h->conn[i];
		return;
	}
}

static void shut_overdue(struct zb_metrics_http *h)
{
	double now = zb_clock_s();

	for (unsigned i = 0; i < ZB_METRICS_CONNS_MAX; i++) {
		if (h->conn[i].fd < 0 || now < h->conn[i].until_s)
			continue;
		shutdown(h->conn[i].fd, SHUT_RDWR); /* the library finds it closed */
	}
}

static void *serve(void *arg)
{
	const struct timespec turn = {.tv_nsec = TURN_MS * 1000000};
	struct zb_metrics_http *h = arg;

	while (!atomic_load(&h->stop)) {
		if (MHD_run_wait(h->daemon, TURN_MS) != MHD_YES)
			nanosleep(&turn, NULL);
		shut_overdue(h);
	}
	return NULL;
}

/* ---- life ---- */

/* "127.0.0.1:9911" or "[::1]:9911" into its parts; false: neither. */
static bool split(const char *address, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t len;

	if (colon == NULL || colon == address)
		return false;
	len = (size_t)(colon - address);
	*port = colon + 1;
	if (address[0] == '[') {
		if (address[len - 1] != ']' || len < 3)
			return false;
		address++;
		len -= 2;
	} else if (memchr(address, ':', len) != NULL) {
		return false; /* IPv6 wants brackets: which colon would be the port's? */
	}
	if (len >= size || strspn(*port, "0123456789") != strlen(*port) || strlen(*port) > 5)
		return false;
	memcpy(host, address, len);
	host[len] = '\0';
	return atoi(*port) > 0 && atoi(*port) <= UINT16_MAX;
}

static int listen_on(const struct addrinfo *a)
{
	int one = 1;
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

int zb_metrics_listen(const char *address, int *fd)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				 .ai_socktype = SOCK_STREAM},
			*found;
	char host[64];
	const char *port;
	int ret;

	if (!split(address, host, sizeof(host), &port) ||
	    getaddrinfo(host, port, &hints, &found) != 0)
		return -EINVAL;
	ret = listen_on(found);
	freeaddrinfo(found);
	if (ret < 0)
		return ret;
	*fd = ret;
	return 0;
}

static struct MHD_Daemon *daemon_of(struct zb_metrics_http *h, int fd)
{
	struct MHD_OptionItem options[] = {
		{MHD_OPTION_LISTEN_SOCKET, fd, NULL},
		{MHD_OPTION_CONNECTION_LIMIT, ZB_METRICS_CONNS_MAX, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, ZB_METRICS_REQUEST_BYTES, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, SILENCE_S, NULL},
		{MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)noted, h},
		{MHD_OPTION_END, 0, NULL},
	};

	return MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer, h, MHD_OPTION_ARRAY, options,
				MHD_OPTION_END);
}

static int start_thread(struct zb_metrics_http *h)
{
	sigset_t all, before;
	int ret;

	/* Signals are for those who wait for them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&h->thread, NULL, serve, h);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -ret;
}

int zb_metrics_http_start(int fd, struct zb_metrics *m, struct zb_metrics_http **out)
{
	struct zb_metrics_http *h = calloc(1, sizeof(*h));
	int mine, ret;

	if (h == NULL)
		return -ENOMEM;
	h->metrics = m;
	for (unsigned i = 0; i < ZB_METRICS_CONNS_MAX; i++)
		h->conn[i].fd = -1;
	mine = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	ret = -errno;
	if (mine < 0)
		goto free_server;
	errno = EIO;
	h->daemon = daemon_of(h, mine);
	ret = -errno;
	if (h->daemon == NULL)
		goto free_server;
	ret = start_thread(h);
	if (ret < 0)
		goto stop_daemon;
	*out = h;
	return 0;

stop_daemon:
	MHD_stop_daemon(h->daemon);
free_server:
	free(h);
	return ret;
}

void zb_metrics_http_fresh(struct zb_metrics_http *h)
{
	if (h != NULL)
		atomic_fetch_add(&h->age, 1);
}

void zb_metrics_http_stop(struct zb_metrics_http *h)
{
	if (h == NULL)
		return;
	atomic_store(&h->stop, true);
	pthread_join(h->thread, NULL);
	MHD_stop_daemon(h->daemon);
	for (unsigned i = 0; i < 2; i++)
		if (h->made[i] != NULL)
			MHD_destroy_response(h->made[i]);
	free(h);
}
