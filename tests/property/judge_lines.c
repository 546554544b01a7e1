/* SPDX-License-Identifier: ISC
 *
 * judge_lines.c: judges many messages without a fork for each. Reads, again and again, a length
 * (four octets, most significant first) and so many octets of a message; answers with one line:
 *
 *     VERDICT FORM REASON CLEARTEXT_BYTES DETAIL
 *
 * With -p the octets are OpenPGP packets, unarmored, and the answer is
 *
 *     REASON TAG:OFFSET:BODY[p] ...       "-" for the reason when the grammar holds; p: the first
 * chunk
 *
 * With -1 it reads one message without length to the end (for valgrind).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scan/packet.h"
#include "tests/golden/whole.h"

static struct whole whole;
static const struct judge_envelope envelope;

static void answer_message(const unsigned char *bytes, size_t len)
{
	struct acceptance accept;
	struct judgement j;

	whole_defaults(&accept);
	accept.password_only = true;
	whole_judge(&whole, bytes, len, WHOLE_UNCUT, &accept, &envelope, NULL, &j);
	printf("%s %s %s %lld %s\n", verdict_name(j.verdict), form_name(j.form), j.reason,
	       (long long)j.cleartext_bytes, j.detail);
}

static char seen[1 << 16];
static size_t seen_len;

static void observe(void *context, const struct packet_seen *p)
{
	(void)context;
	if (seen_len + 80 < sizeof seen)
		seen_len += (size_t)snprintf(seen + seen_len, sizeof seen - seen_len,
					     " %u:%lld:%llu%s", p->tag, (long long)p->offset,
					     (unsigned long long)p->body_octets,
					     p->is_partial ? "p" : "");
}

static void answer_packets(const unsigned char *bytes, size_t len)
{
	struct packet_walk walk;

	seen_len = 0;
	seen[0] = 0;
	packet_init(&walk, PACKETS_OF_MESSAGE);
	walk.observer = observe;
	packet_feed(&walk, bytes, len);
	packet_finish(&walk);
	printf("%s%s\n", walk.fault.reason[0] ? walk.fault.reason : "-", seen);
}

static unsigned char *buffer;
static size_t room;

static void make_room(size_t need)
{
	if (need <= room)
		return;
	room = need * 2;
	buffer = realloc(buffer, room);
	if (!buffer) {
		fprintf(stderr, "out of memory\n");
		exit(EXIT_FAILURE);
	}
}

static void answer_one(void)
{
	size_t len = 0, n;

	make_room(1 << 20);
	while ((n = fread(buffer + len, 1, room - len, stdin)) > 0) {
		len += n;
		make_room(len + 1);
	}
	answer_message(buffer, len);
}

int main(int argc, char **argv)
{
	bool is_packets = argc > 1 && !strcmp(argv[1], "-p");
	unsigned char head[4];

	whole_init(&whole);
	if (argc > 1 && !strcmp(argv[1], "-1"))
		answer_one();
	else
		while (fread(head, 1, 4, stdin) == 4) {
			size_t len = (size_t)head[0] << 24 | (size_t)head[1] << 16 |
				     (size_t)head[2] << 8 | head[3];
			make_room(len + 1);
			if (fread(buffer, 1, len, stdin) != len)
				break;
			if (is_packets)
				answer_packets(buffer, len);
			else
				answer_message(buffer, len);
			fflush(stdout);
		}
	free(buffer);
	whole_free(&whole);
	return 0;
}
