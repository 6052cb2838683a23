/* SPDX-License-Identifier: Apache-2.0 */
/* umh_bridge.h - umh.h in the shapes that cross JNI: arrays and numbers. The Java class Native mirrors it. */
#ifndef UMH_BRIDGE_H
#define UMH_BRIDGE_H

#include <errno.h>
#include <jni.h>
#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "umh.h"

/* Where the answers of umh_bridge_start() and umh_bridge_outcome() stand in their array. */
enum umh_answer {
	UMH_ANSWER_PID,
	UMH_ANSWER_PIDFD,  /* -1 when the process is gone */
	UMH_ANSWER_SOCKET, /* -1 when the outcome is known */
	UMH_ANSWER_STAGE,
	UMH_ANSWER_DETAIL,
	UMH_ANSWER_KEPT,
	UMH_ANSWER_STATUS,
	UMH_ANSWER_LAUNCHED_NS, /* by CLOCK_MONOTONIC: when the launcher was executed, unless it went until the exit */
	UMH_ANSWER_SAID_NS,     /* and when it got to its execve, if the plan asks; else 0 */
	UMH_ANSWER_CHILD,       /* the struct umh_child, as long as the outcome is not known */
	UMH_ANSWER_COUNT = UMH_ANSWER_CHILD + (sizeof(struct umh_child) + sizeof(long long) - 1) / sizeof(long long)
};

/* How far umh_bridge_start() goes before it returns. */
enum umh_until {
	UMH_UNTIL_STARTED, /* a process exists; its outcome is not known */
	UMH_UNTIL_EXEC,    /* the helper's program is in place; or that takes long, and its outcome is not known */
	UMH_UNTIL_EXIT,    /* the helper has ended */
};

int umh_bridge_load(const signed char *image, int size);

/* strings: path, argc arguments, envc environment strings, each with its NUL; size: their bytes. */
int umh_bridge_start(const signed char *strings, int size, int argc, int envc, signed char *plan, int plan_size,
		     const int *fds, int fd_count, int cgroup, int until, int limit_ms, long long *answer);

/* Looks at launches that hold their thread, for a thread that waits for the reaper's own. */
void umh_bridge_look_at_launches(void);

/* From here on the process is the one of that answer, which is kept up to date. */
int umh_bridge_outcome(long long *answer);
int umh_bridge_look_ms(void);
int umh_bridge_look_after(long long *answer);
int umh_bridge_go(const long long *answer);
int umh_bridge_regain(long long *answer);
void umh_bridge_close_pidfd(const long long *answer);

/* Where the answers of umh_bridge_wait() stand in their array. */
enum umh_end {
	UMH_END_STATUS,
	UMH_END_USER_US,
	UMH_END_SYSTEM_US,
	UMH_END_MINOR_FAULTS,
	UMH_END_MAJOR_FAULTS,
	UMH_END_BLOCKS_IN,
	UMH_END_BLOCKS_OUT,
	UMH_END_VOLUNTARY_SWITCHES,
	UMH_END_INVOLUNTARY_SWITCHES,
	UMH_END_COUNT
};
int umh_bridge_wait(const long long *answer, long long *end);
int umh_bridge_signal(const long long *answer, int signal);
int umh_bridge_signal_group(const long long *answer, int reaped, int signal);
/* By a pidfd that was opened a moment ago. */
int umh_bridge_signal_opened(int pidfd, int signal);
/* The number of the session that a process is in; 0 when it was made outside of this pid namespace. */
int umh_bridge_session(int pid);
int umh_bridge_watch(int fd, int event, long long token);
int umh_bridge_events(long long *tokens, int capacity, int timeout_ms);
int umh_bridge_open(const signed char *path, int flags, int mode);
int umh_bridge_open_below(const signed char *root, const signed char *path);
int umh_bridge_is_folder(int fd);
int umh_bridge_open_cgroup(const signed char *path);
int umh_bridge_open_pid(int pid);

/* Which file a number is, whether it is still that one, and closing it if it is (umh_identity.h). */
long long umh_bridge_identity(int fd);
int umh_bridge_is(int fd, long long identity);
void umh_bridge_close(int fd, long long identity);

/* Where the descriptors of a program in memory stand in their array: where it is written, and its mount or -1. */
enum umh_blob_part {
	UMH_BLOB_FD,
	UMH_BLOB_MOUNT,
	UMH_BLOB_FD_IS, /* which files these two have to be; what sealing answers, the descriptor to execute, is the first */
	UMH_BLOB_MOUNT_IS,
	UMH_BLOB_COUNT
};
int umh_bridge_blob_open(const signed char *name, long long *blob);
int umh_bridge_blob_seal(const signed char *name, const long long *blob);
void umh_bridge_blob_abandon(const long long *blob);

/* A pipe, close-on-exec; then what is read or written from it without waiting: -EAGAIN when it would. */
int umh_bridge_pipe(int *fds);
int umh_bridge_set_nonblocking(int fd);
int umh_bridge_available(int fd, long long is);
int umh_bridge_poll(int fd, int event, int timeout_ms);
int umh_bridge_read(JNIEnv *env, int fd, long long is, jbyteArray bytes, int offset, int length);
int umh_bridge_write(JNIEnv *env, int fd, long long is, jbyteArray bytes, int offset, int length);
int umh_bridge_read_direct(JNIEnv *env, int fd, long long is, jobject buffer, int offset, int length);
int umh_bridge_write_direct(JNIEnv *env, int fd, long long is, jobject buffer, int offset, int length);

/* Whether a helper can be born in the cgroup of this folder: -EINVAL for one of the first version, -EBUSY for a frozen one. */
int umh_bridge_check_cgroup(int fd);

/* The descriptor behind a java.io.FileDescriptor, or behind an object whose field fd or fdObj holds one; -EBADF, -EINVAL. */
int umh_bridge_descriptor(JNIEnv *env, jobject object);

/* Every function of the glue has an env; this is how it gets here. */
#define UMH_BRIDGE_DESCRIPTOR(object)                 umh_bridge_descriptor(env, object)
#define UMH_BRIDGE_READ(fd, is, a, o, n)              umh_bridge_read(env, fd, is, (jbyteArray)(a), o, n)
#define UMH_BRIDGE_WRITE(fd, is, a, o, n)             umh_bridge_write(env, fd, is, (jbyteArray)(a), o, n)
#define UMH_BRIDGE_READ_DIRECT(fd, is, buffer, o, n)  umh_bridge_read_direct(env, fd, is, buffer, o, n)
#define UMH_BRIDGE_WRITE_DIRECT(fd, is, buffer, o, n) umh_bridge_write_direct(env, fd, is, buffer, o, n)

/* The kernel's landlock ABI, or a negative errno. */
int umh_bridge_landlock_abi(void);
int umh_bridge_features(void);
int umh_bridge_stages(signed char *names, int size);

/* The calling thread's capabilities, and the kernel's. */
long long umh_bridge_effective(void);
long long umh_bridge_bounding(void);
int umh_bridge_last_capability(void);
int umh_bridge_uid(void);
int umh_bridge_gid(void);
int umh_bridge_no_new_privs(void);

#ifdef __cplusplus
}
#endif

#endif
