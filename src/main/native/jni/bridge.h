/* SPDX-License-Identifier: Apache-2.0 */
/* bridge.h - umh.h in the shapes that cross JNI: arrays and numbers. The Java class Native mirrors it. */
#ifndef UMH_BRIDGE_H
#define UMH_BRIDGE_H

#include <errno.h>
#include <jni.h>
#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "shim/umh.h"

/* Where the answers of umh_bridge_start() and umh_bridge_poll_exec() stand in their array. */
enum umh_result {
	UMH_RESULT_PID,
	UMH_RESULT_PIDFD,  /* -1 when the process is gone */
	UMH_RESULT_SOCKET, /* -1 when the outcome is known */
	UMH_RESULT_STAGE,
	UMH_RESULT_DETAIL,
	UMH_RESULT_UNAPPLIED,
	UMH_RESULT_STATUS,
	UMH_RESULT_LAUNCHED_NS, /* by CLOCK_MONOTONIC: when the launcher was executed, unless it went until the exit */
	UMH_RESULT_REPORTED_NS,     /* and when it got to its execve, if the plan asks; else 0 */
	UMH_RESULT_CHILD,       /* the struct umh_child, as long as the outcome is not known */
	UMH_RESULT_COUNT = UMH_RESULT_CHILD + (sizeof(struct umh_child) + sizeof(long long) - 1) / sizeof(long long)
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
		     const int *fds, int fd_count, int cgroup, int until, int launch_timeout_ms, long long *result_fields);

/* Looks at launches that hold their thread, for a thread that waits for the reaper's own. */
void umh_bridge_check_launches(void);

/* From here on the process is the one of that answer, which is kept up to date. */
int umh_bridge_poll_exec(long long *result_fields);
int umh_bridge_stop_check_ms(void);
int umh_bridge_continue_if_stopped(long long *result_fields);
int umh_bridge_allow_exec(const long long *result_fields);
int umh_bridge_reopen_pidfd(long long *result_fields);
void umh_bridge_close_pidfd(const long long *result_fields);

/* Where the answers of umh_bridge_wait() stand in their array. */
enum umh_exit {
	UMH_EXIT_STATUS,
	UMH_EXIT_USER_US,
	UMH_EXIT_SYSTEM_US,
	UMH_EXIT_MINOR_FAULTS,
	UMH_EXIT_MAJOR_FAULTS,
	UMH_EXIT_BLOCKS_IN,
	UMH_EXIT_BLOCKS_OUT,
	UMH_EXIT_VOLUNTARY_SWITCHES,
	UMH_EXIT_INVOLUNTARY_SWITCHES,
	UMH_EXIT_COUNT
};
int umh_bridge_wait(const long long *result_fields, long long *end);
int umh_bridge_signal(const long long *result_fields, int signal);
int umh_bridge_signal_group(const long long *result_fields, int reaped, int signal);
/* By a pidfd that was opened a moment ago. */
int umh_bridge_signal_pidfd(int pidfd, int signal);
/* The number of the session that a process is in; 0 when it was made outside of this pid namespace. */
int umh_bridge_getsid(int pid);
int umh_bridge_epoll_watch(int fd, int event, long long token);
int umh_bridge_epoll_wait(long long *tokens, int capacity, int timeout_ms);
int umh_bridge_open(const signed char *path, int flags, int mode);
int umh_bridge_open_below(const signed char *root, const signed char *path);
int umh_bridge_is_directory(int fd);
int umh_bridge_open_cgroup(const signed char *path);
int umh_bridge_pidfd_open(int pid);

/* Which file a number is, whether it is still that one, and closing it if it is (common/file_identity.h). */
long long umh_bridge_file_identity(int fd);
int umh_bridge_is_same_file(int fd, long long identity);
void umh_bridge_close_if_same(int fd, long long identity);

/* Where the descriptors of a program in memory stand in their array: where it is written, and its mount or -1. */
enum umh_blob_field {
	UMH_BLOB_FD,
	UMH_BLOB_MOUNT,
	UMH_BLOB_FD_IDENTITY, /* which files these two have to be; what sealing answers, the descriptor to execute, is the first */
	UMH_BLOB_MOUNT_IDENTITY,
	UMH_BLOB_COUNT
};
int umh_bridge_blob_open(const signed char *name, long long *blob);
int umh_bridge_blob_seal(const signed char *name, const long long *blob);
void umh_bridge_blob_discard(const long long *blob);

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
int umh_bridge_stage_names(signed char *names, int size);

/* The calling thread's capabilities, and the kernel's. */
long long umh_bridge_effective_set(void);
long long umh_bridge_bounding_set(void);
int umh_bridge_last_capability(void);
int umh_bridge_uid(void);
int umh_bridge_gid(void);
int umh_bridge_no_new_privs(void);

#ifdef __cplusplus
}
#endif

#endif
