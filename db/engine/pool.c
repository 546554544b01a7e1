/* SPDX-License-Identifier: ISC
 *
 * pool.c: idle connections, handed from thread to thread under a lock.
 */
#include "db/engine/internal.h"

#include <pthread.h>
#include <stdlib.h>

struct db_pool {
	struct db_pool *next; /* of all pools of this process: the engine shares files between their
				 connections */
	struct settings *settings;
	enum db_mode mode;
	pthread_mutex_t lock;
	size_t n_idle, max_idle;
	struct db *idle[]; /* the last one put is the first one got: its pages are warm */
};

static pthread_mutex_t pools_lock = PTHREAD_MUTEX_INITIALIZER;
static struct db_pool *pools;

struct db_pool *db_pool_new(struct settings *s, enum db_mode mode, size_t max_idle)
{
	struct db_pool *p = calloc(1, sizeof *p + max_idle * sizeof p->idle[0]);

	if (p == NULL)
		return NULL;
	p->settings = settings_ref(s);
	p->mode = mode;
	p->max_idle = max_idle;
	pthread_mutex_init(&p->lock, NULL);
	pthread_mutex_lock(&pools_lock);
	p->next = pools;
	pools = p;
	pthread_mutex_unlock(&pools_lock);
	return p;
}

struct db *db_pool_get(struct db_pool *p)
{
	struct db *d = NULL;

	pthread_mutex_lock(&p->lock);
	if (p->n_idle > 0)
		d = p->idle[--p->n_idle];
	pthread_mutex_unlock(&p->lock);
	return d != NULL ? d : db_open(p->settings, p->mode);
}

void db_pool_put(struct db_pool *p, struct db *d)
{
	if (d == NULL)
		return;
	if (db_failure(d) == DB_OK) {
		pthread_mutex_lock(&p->lock);
		if (p->n_idle < p->max_idle) {
			p->idle[p->n_idle++] = d;
			d = NULL;
		}
		pthread_mutex_unlock(&p->lock);
	}
	db_close(d);
}

static void drop_idle(struct db_pool *p)
{
	struct db *d;

	do {
		pthread_mutex_lock(&p->lock);
		d = p->n_idle > 0 ? p->idle[--p->n_idle] : NULL;
		pthread_mutex_unlock(&p->lock);
		db_close(d);
	} while (d != NULL);
}

void db_pools_drop_idle(void)
{
	pthread_mutex_lock(&pools_lock);
	for (struct db_pool *p = pools; p != NULL; p = p->next)
		drop_idle(p);
	pthread_mutex_unlock(&pools_lock);
}

void db_pool_free(struct db_pool *p)
{
	struct db_pool **at;

	if (p == NULL)
		return;
	pthread_mutex_lock(&pools_lock);
	for (at = &pools; *at != p;)
		at = &(*at)->next;
	*at = p->next;
	pthread_mutex_unlock(&pools_lock);
	while (p->n_idle > 0)
		db_close(p->idle[--p->n_idle]);
	settings_unref(p->settings);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
