/* SPDX-License-Identifier: ISC
 *
 * null_filter: the limit for pgpgate-filter: libmilter with the same callbacks, the same
 * negotiation and the same macro lists (filter/milter.c), which does nothing at all and lets
 * everything pass.
 *
 *   null_filter SOCKET
 *
 * Stays in the foreground until SIGTERM. When filter/milter.c negotiates something else, change it
 * here too: the smoke test compares what the load generator reports of both.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

static sfsistat on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
	(void)ctx, (void)host, (void)address;
	return SMFIS_NOREPLY;
}

static sfsistat on_mail(SMFICTX *ctx, char **argv)
{
	(void)ctx, (void)argv;
	return SMFIS_CONTINUE;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
	(void)ctx, (void)name, (void)value;
	return SMFIS_NOREPLY;
}

static sfsistat on_end_of_header(SMFICTX *ctx)
{
	(void)ctx;
	return SMFIS_NOREPLY;
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *bytes, size_t len)
{
	(void)ctx, (void)bytes, (void)len;
	return SMFIS_NOREPLY;
}

static sfsistat on_simple(SMFICTX *ctx)
{
	(void)ctx;
	return SMFIS_CONTINUE;
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1, unsigned long f2,
			     unsigned long f3, unsigned long *pf0, unsigned long *pf1,
			     unsigned long *pf2, unsigned long *pf3)
{
	const unsigned long wanted = SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOUNKNOWN | SMFIP_NR_CONN |
				     SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY |
				     SMFIP_HDR_LEADSPC;

	(void)f0, (void)f2, (void)f3;
	*pf0 = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE | SMFIF_SETSYMLIST;
	*pf1 = f1 & wanted;
	*pf2 = *pf3 = 0;
	if (*pf1 != wanted)
		return SMFIS_REJECT;
	smfi_setsymlist(ctx, SMFIM_CONNECT, (char *)"j v");
	smfi_setsymlist(ctx, SMFIM_ENVFROM, (char *)"i {auth_authen} {mail_addr}");
	smfi_setsymlist(ctx, SMFIM_ENVRCPT, (char *)"{rcpt_addr}");
	smfi_setsymlist(ctx, SMFIM_EOM, (char *)"i");
	return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
	struct smfiDesc filter = {
		.xxfi_name = (char *)"null_filter",
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE,
		.xxfi_connect = on_connect,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_mail,
		.xxfi_header = on_header,
		.xxfi_eoh = on_end_of_header,
		.xxfi_body = on_body,
		.xxfi_eom = on_simple,
		.xxfi_abort = on_simple,
		.xxfi_close = on_simple,
		.xxfi_negotiate = on_negotiate,
	};

	if (argc != 2) {
		fprintf(stderr, "usage: null_filter SOCKET\n");
		return EX_USAGE;
	}
	umask(0);
	if (smfi_setconn(argv[1]) != MI_SUCCESS || smfi_register(filter) != MI_SUCCESS ||
	    smfi_opensocket(true) != MI_SUCCESS) {
		fprintf(stderr, "null_filter: %s: cannot listen\n", argv[1]);
		return EX_UNAVAILABLE;
	}
	return smfi_main() == MI_SUCCESS ? EX_OK : EX_SOFTWARE;
}
