/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox.c - no_new_privs, landlock and seccomp. */

#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include "launcher/launcher.h"
#include "common/syscalls.h"

int apply_no_new_privs(struct launch *launch)
{
	(void)launch;
	return (int)umh_syscall(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int add_rules(struct launch *launch, int ruleset)
{
	const struct umh_landlock_rule *rules = span(launch, launch->plan->landlock_rules);
	const uint32_t count = launch->plan->landlock_rules.length / sizeof *rules;

	for (uint32_t i = 0; i < count; i++) {
		const struct landlock_path_beneath_attr rule = {
			.allowed_access = rules[i].access,
			.parent_fd = descriptor(launch, rules[i].index),
		};
		long result = umh_syscall(__NR_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);

		launch->detail = i;
		close_descriptor(launch, rules[i].index);
		if (result < 0)
			return (int)result;
	}
	return 0;
}

/* The ruleset itself gives access to no file. */
int create_landlock_ruleset(struct launch *launch)
{
	const uint64_t handled = launch->plan->landlock_rights; /* the structure's first published size */
	int ruleset = (int)umh_syscall(__NR_landlock_create_ruleset, &handled, sizeof handled, 0);
	int result;

	if (ruleset < 0)
		return ruleset;
	result = add_rules(launch, ruleset);
	if (result == 0)
		launch->ruleset = ruleset;
	else
		sys_close(ruleset);
	return result;
}

int apply_landlock(struct launch *launch)
{
	int result;

	if (launch->ruleset < 0)
		return 0; /* create_landlock_ruleset() has failed, and LANDLOCK was not required */
	result = (int)umh_syscall(__NR_landlock_restrict_self, launch->ruleset, 0);
	sys_close(launch->ruleset);
	return result;
}

int apply_seccomp(struct launch *launch)
{
	const struct sock_fprog program = {
		.len = (unsigned short)(launch->plan->seccomp_filter.length / sizeof(struct sock_filter)),
		.filter = span(launch, launch->plan->seccomp_filter),
	};

	return (int)umh_syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
