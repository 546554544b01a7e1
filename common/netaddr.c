/* SPDX-License-Identifier: ISC */
#include "common/netaddr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/complain.h"

#define MAPPED_BITS 96 /* ::ffff:0:0/96 */

static const unsigned char mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_ipv4(const struct netaddr *a)
{
	return a->prefix_bits >= MAPPED_BITS &&
	       memcmp(a->octets, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

/* Decimal digits only, at most `max`. Returns -1 when it is not that. */
static int parse_prefix(const char *digits, int max)
{
	int value = 0;

	if (*digits == '\0' || strlen(digits) > 3 || (digits[0] == '0' && digits[1] != '\0'))
		return -1;
	for (; *digits != '\0'; digits++) {
		if (*digits < '0' || *digits > '9')
			return -1;
		value = value * 10 + (*digits - '0');
	}
	return value <= max ? value : -1;
}

static void clear_host_bits(struct netaddr *a)
{
	for (unsigned i = a->prefix_bits; i < 128; i++)
		a->octets[i / 8] &= (unsigned char)~(0x80u >> i % 8);
}

/* Copies the address proper, without brackets and "IPv6:", and finds the prefix. Accepts "[addr]/n"
 * and
 * "[addr/n]". 0, or -1 when it is too long or the brackets do not match. */
static int split(const char *text, char host[NETADDR_TEXT_MAX], const char **prefix)
{
	bool has_bracket = *text == '[';
	size_t len;

	text += has_bracket ? 1 : 0;
	if (strncasecmp(text, "IPv6:", 5) == 0)
		text += 5;
	if (strlen(text) >= NETADDR_TEXT_MAX)
		return -1;
	strcpy(host, text);
	*prefix = NULL;
	if (has_bracket) {
		char *bracket = strchr(host, ']');

		if (bracket == NULL)
			return -1;
		len = strlen(bracket + 1);
		memmove(bracket, bracket + 1, len + 1);
		if (len > 0 && *bracket != '/')
			return -1;
	}
	host = strchr(host, '/');
	if (host != NULL) {
		*host = '\0';
		*prefix = host + 1;
	}
	return 0;
}

int netaddr_parse(const char *text, struct netaddr *out, char *err, size_t err_size)
{
	static const char forms[] = "is no IP address or network; write 192.0.2.1, 192.0.2.0/24, "
				    "2001:db8::1 or 2001:db8::/32";
	char host[NETADDR_TEXT_MAX];
	const char *prefix;
	struct netaddr a = {.prefix_bits = 128};
	struct netaddr network;
	bool is_dotted;

	if (split(text, host, &prefix) != 0)
		return complain_about(text, forms, err, err_size);
	is_dotted = inet_pton(AF_INET, host, a.octets + 12) == 1;
	if (is_dotted)
		memcpy(a.octets, mapped_prefix, sizeof(mapped_prefix));
	else if (inet_pton(AF_INET6, host, a.octets) != 1)
		return complain_about(text, forms, err, err_size);
	if (prefix != NULL) {
		int bits = parse_prefix(prefix, is_dotted ? 32 : 128);

		if (bits < 0)
			return complain_about(text,
					      is_dotted ? "has a bad prefix length; it is 0 to 32"
							: "has a bad prefix length; it is 0 to 128",
					      err, err_size);
		a.prefix_bits = (unsigned)bits + (is_dotted ? MAPPED_BITS : 0);
	}
	network = a;
	clear_host_bits(&network);
	if (memcmp(&network.octets, &a.octets, sizeof(a.octets)) != 0) {
		char right[NETADDR_TEXT_MAX];
		char what[160];

		snprintf(what, sizeof(what), "has bits set behind its prefix; write %s",
			 netaddr_format(&network, right));
		return complain_about(text, what, err, err_size);
	}
	*out = a;
	return 0;
}

bool netaddr_contains(const struct netaddr *network, const struct netaddr *address)
{
	unsigned whole = network->prefix_bits / 8;
	unsigned rest = network->prefix_bits % 8;
	unsigned char mask = (unsigned char)(0xff00u >> rest);

	if (address->prefix_bits < network->prefix_bits || is_ipv4(address) != is_ipv4(network))
		return false;
	if (memcmp(network->octets, address->octets, whole) != 0)
		return false;
	return rest == 0 || ((network->octets[whole] ^ address->octets[whole]) & mask) == 0;
}

char *netaddr_format(const struct netaddr *address, char out[NETADDR_TEXT_MAX])
{
	bool is_v4 = is_ipv4(address);
	size_t len;

	if (is_v4)
		inet_ntop(AF_INET, address->octets + 12, out, NETADDR_TEXT_MAX);
	else
		inet_ntop(AF_INET6, address->octets, out, NETADDR_TEXT_MAX);
	len = strlen(out);
	if (address->prefix_bits < 128)
		snprintf(out + len, NETADDR_TEXT_MAX - len, "/%u",
			 address->prefix_bits - (is_v4 ? MAPPED_BITS : 0));
	return out;
}
