/* SPDX-License-Identifier: Apache-2.0 */
/* features.h - the newer system calls in use. */
#ifndef UMH_FEATURES_H
#define UMH_FEATURES_H

#include <errno.h>
#include <stdatomic.h>

/* The Java class Feature has the same list. */
enum umh_feature {
	UMH_FEATURE_CLONE3 = 1,
	UMH_FEATURE_CLOSE_RANGE = 2,
	UMH_FEATURE_EXECVEAT = 4,
	UMH_FEATURE_PIDFD_INFO = 8,
	UMH_FEATURE_PERSONALITY = 16,
	UMH_FEATURE_UNSHARE = 32,
	UMH_FEATURE_EPOLL = 64,
};

int umh_features(void);

/* Disables these from now on, as if the kernel did not have them: for tests, and for hosts that misbehave. */
void umh_disable_features(int features);

/* A feature that the kernel does not have is not tried again. The child in the JVM's memory uses these, too. */
extern atomic_int umh_missing_features;

static inline int umh_has_feature(enum umh_feature feature)
{
	return !(atomic_load(&umh_missing_features) & (int)feature);
}

/* A kernel without the system call returns ENOSYS; a container's filter that does not know it may return EPERM. */
static inline int umh_note_if_missing(long result, enum umh_feature feature)
{
	if (result != -ENOSYS && result != -EPERM)
		return 0;
	atomic_fetch_or(&umh_missing_features, (int)feature);
	return 1;
}

#endif
