/* SPDX-License-Identifier: ISC */
#include "common/sandbox.h"

#ifdef HAVE_SECCOMP
#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>

#include "common/log.h"

/* By name: a kernel or a machine that does not know one of them does not have it either. */
static const char *const forbidden[] = {
	"acct",
	"add_key",
	"bpf",
	"chroot",
	"clock_adjtime",
	"clock_settime",
	"create_module",
	"delete_module",
	"fanotify_init",
	"finit_module",
	"fsconfig",
	"fsmount",
	"fsopen",
	"fspick",
	"init_module",
	"io_uring_enter",
	"io_uring_register",
	"io_uring_setup",
	"ioperm",
	"iopl",
	"kcmp",
	"kexec_file_load",
	"kexec_load",
	"keyctl",
	"mount",
	"mount_setattr",
	"move_mount",
	"open_by_handle_at",
	"open_tree",
	"perf_event_open",
	"personality",
	"pivot_root",
	"process_madvise",
	"process_vm_readv",
	"process_vm_writev",
	"ptrace",
	"quotactl",
	"reboot",
	"request_key",
	"setdomainname",
	"sethostname",
	"setns",
	"settimeofday",
	"swapoff",
	"swapon",
	"syslog",
	"umount2",
	"unshare",
	"userfaultfd",
	"vhangup",
};

static int load_filter(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		const int number = seccomp_syscall_resolve_name(forbidden[i]);
		int rc;

		if (number == __NR_SCMP_ERROR)
			continue;
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
		if (rc != 0)
			return rc;
	}
	return seccomp_load(filter);
}

void sandbox_enter(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int rc = filter != NULL ? load_filter(filter) : -ENOMEM;

	if (rc != 0)
		log_warning("no filter of system calls: %s", strerror(-rc));
	seccomp_release(filter);
}

#else

void sandbox_enter(void)
{
}

#endif
