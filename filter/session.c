/* SPDX-License-Identifier: ISC */
#include "filter/session.h"

#include <arpa/inet.h>
#include <stdlib.h>

void session_free(struct session *s)
{
	if (s == NULL)
		return;
	transaction_free(s->transaction);
	free(s);
}

struct session *session_new(const struct filter_context *context)
{
	struct session *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->transaction = transaction_new(context);
	if (s->transaction == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

void session_client(struct session *s, const struct sockaddr *address)
{
	s->has_no_network = address == NULL || address->sa_family == AF_UNIX;
	if (address == NULL)
		return;
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)address;

		if (in->sin_addr.s_addr != htonl(INADDR_ANY)) /* stand_in.h */
			inet_ntop(AF_INET, &in->sin_addr, s->client, sizeof s->client);
		s->has_port_zero = in->sin_port == 0;
	} else if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;

		if (!IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr))
			inet_ntop(AF_INET6, &in6->sin6_addr, s->client, sizeof s->client);
		s->has_port_zero = in6->sin6_port == 0;
	}
}
