/* SPDX-License-Identifier: Apache-2.0 */
/* host.c - the calling thread's credentials, and the kernel's features. */

#include <linux/capability.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jni/bridge.h"
#include "shim/features.h"

int umh_bridge_landlock_abi(void)
{
	long abi = syscall(__NR_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? -errno : (int)abi;
}

int umh_bridge_features(void)
{
	return umh_features();
}

void umh_bridge_disable_features(int features)
{
	umh_disable_features(features);
}

/* The names of the stages in order, separated by blanks: a test compares the Java enum with them. */
int umh_bridge_stage_names(signed char *names, int size)
{
#define X(name) #name " "
	static const char all[] = UMH_STAGES(X);
#undef X

	if (!names || size < (int)sizeof all - 1)
		return -ERANGE;
	memcpy(names, all, sizeof all - 1);
	return (int)sizeof all - 1;
}

long long umh_bridge_effective_set(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct sets[2];

	if (syscall(__NR_capget, &header, sets) < 0)
		return 0;
	return (long long)((uint64_t)sets[1].effective << 32 | sets[0].effective);
}

/* The kernel returns EINVAL for the first capability that it does not know. */
int umh_bridge_last_capability(void)
{
	int capability = 0;

	while (capability < 64 && prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0)
		capability++;
	return capability - 1;
}

long long umh_bridge_bounding_set(void)
{
	uint64_t bounding = 0;

	for (int capability = 0; capability < 64; capability++)
		if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1)
			bounding |= UINT64_C(1) << capability;
	return (long long)bounding;
}

int umh_bridge_uid(void)
{
	return (int)geteuid();
}

int umh_bridge_gid(void)
{
	return (int)getegid();
}

int umh_bridge_no_new_privs(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}
