/* SPDX-License-Identifier: ISC
 *
 * pool.c: idle connections, handed from thread to thread under a lock.
 */
#include "db/db.h"

#include <pthread.h>
#include <stdlib.h>

struct db_pool {
	struct settings *settings;
	enum db_mode mode;
	pthread_mutex_t lock;
	size_t n_idle, max_idle;
	struct db *idle[]; /* the last one put is the first one got: its pages are warm */
};

struct db_pool *db_pool_new(struct settings *s, enum db_mode mode, size_t max_idle)
{
	struct db_pool *p = calloc(1, sizeof *p + max_idle * sizeof p->idle[0]);

	if (p == NULL)
		return NULL;
	p->settings = settings_ref(s);
	p->mode = mode;
	p->max_idle = max_idle;
	pthread_mutex_init(&p->lock, NULL);
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

void db_pool_free(struct db_pool *p)
{
	if (p == NULL)
		return;
	while (p->n_idle > 0)
		db_close(p->idle[--p->n_idle]);
	settings_unref(p->settings);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
