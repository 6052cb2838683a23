/* SPDX-License-Identifier: Apache-2.0 */
/* features.c - the newer system calls in use. */

#include "shim/features.h"

atomic_int umh_missing_features;

int umh_features(void)
{
	return ~atomic_load(&umh_missing_features) &
	       (UMH_FEATURE_CLONE3 | UMH_FEATURE_CLOSE_RANGE | UMH_FEATURE_EXECVEAT | UMH_FEATURE_PIDFD_INFO |
		UMH_FEATURE_PERSONALITY | UMH_FEATURE_UNSHARE | UMH_FEATURE_EPOLL);
}

void umh_disable_features(int features)
{
	atomic_fetch_or(&umh_missing_features, features);
}
