/* SPDX-License-Identifier: Apache-2.0 */
/* bridge.h - the shim's functions with JNI types: arrays and numbers. The Java class Native mirrors it. */
#ifndef UMH_BRIDGE_H
#define UMH_BRIDGE_H

#include <errno.h>
#include <jni.h>
#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "shim/epoll.h"
#include "shim/pidfd.h"
#include "shim/umh.h"

/* Launches (bridge.c) */

/* The elements of the array that umh_bridge_start() and umh_bridge_poll_exec() fill. */
enum umh_result {
	UMH_RESULT_PID,
	UMH_RESULT_PIDFD,  /* -1: the process is reaped */
	UMH_RESULT_SOCKET, /* -1: the launch is decided */
	UMH_RESULT_STAGE,
	UMH_RESULT_DETAIL,
	UMH_RESULT_UNAPPLIED,
	UMH_RESULT_STATUS,
	UMH_RESULT_LAUNCHED_NS, /* CLOCK_MONOTONIC at the launcher's execve; with UMH_UNTIL_EXIT, at the helper's end */
	UMH_RESULT_REPORTED_NS, /* CLOCK_MONOTONIC at the helper's execve with UMH_PLAN_REPORT_TIME; otherwise 0 */
	UMH_RESULT_CHILD,       /* the struct umh_child, until the launch is decided */
	UMH_RESULT_COUNT = UMH_RESULT_CHILD + (sizeof(struct umh_child) + sizeof(long long) - 1) / sizeof(long long)
};

/* When umh_bridge_start() returns. */
enum umh_until {
	UMH_UNTIL_STARTED, /* a process exists; the launch is not decided */
	UMH_UNTIL_EXEC,    /* execve has succeeded; or that takes long, and the launch is not decided */
	UMH_UNTIL_EXIT,    /* the helper has ended */
};

int umh_bridge_load(const signed char *image, int size);

/* strings: path, argc arguments, envc environment strings, each with its NUL; size: their bytes. */
int umh_bridge_start(const signed char *strings, int size, int argc, int envc, signed char *plan, int plan_size,
		     const int *fds, int fd_count, int cgroup, int until, int launch_timeout_ms,
		     long long *result_fields);

/* Checks launches that hold their thread, for a caller that waits for the reaper's own launch. */
void umh_bridge_check_launches(void);

/* The functions below use, and update, the process of these result fields. */
int umh_bridge_poll_exec(long long *result_fields);
int umh_bridge_stop_check_ms(void);
int umh_bridge_continue_if_stopped(long long *result_fields);
int umh_bridge_allow_exec(const long long *result_fields);
int umh_bridge_reopen_pidfd(long long *result_fields);
void umh_bridge_close_pidfd(const long long *result_fields);

/* The elements of the array that umh_bridge_wait() fills. */
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
int umh_bridge_wait(const long long *result_fields, long long *exit_fields);
int umh_bridge_signal(const long long *result_fields, int signal);
int umh_bridge_signal_group(const long long *result_fields, int reaped, int signal);

/* Signals by a pidfd that was just opened. */
int umh_bridge_signal_pidfd(int pidfd, int signal);

/* getsid(2) of a process; 0 if the session was created outside of this pid namespace. */
int umh_bridge_getsid(int pid);

int umh_bridge_epoll_watch(int fd, int event, long long token);
int umh_bridge_epoll_wait(long long *tokens, int capacity, int timeout_ms);

/* Files (files.c) */

int umh_bridge_open(const signed char *path, int flags, int mode);
int umh_bridge_open_below(const signed char *root, const signed char *path);
int umh_bridge_is_directory(int fd);
int umh_bridge_open_cgroup(const signed char *path);
int umh_bridge_pidfd_open(int pid);

/* Whether a process can be created in the cgroup of this directory: -EINVAL for cgroup v1, -EBUSY if it is frozen. */
int umh_bridge_check_cgroup(int fd);

/* The identity of a descriptor's file; whether it is still that file; closing it if it is (common/file_identity.h). */
long long umh_bridge_file_identity(int fd);
int umh_bridge_is_same_file(int fd, long long identity);
void umh_bridge_close_if_same(int fd, long long identity);

/* The elements of the array for a struct umh_blob. */
enum umh_blob_field { UMH_BLOB_FD, UMH_BLOB_MOUNT, UMH_BLOB_FD_IDENTITY, UMH_BLOB_MOUNT_IDENTITY, UMH_BLOB_COUNT };
int umh_bridge_blob_open(const signed char *name, long long *blob);
int umh_bridge_blob_seal(const signed char *name, const long long *blob);
void umh_bridge_blob_discard(const long long *blob);

/* The number in a java.io.FileDescriptor, or in the field fd or fdObj of another object; -EBADF, -EINVAL. */
int umh_bridge_descriptor(JNIEnv *env, jobject object);

/* Pipes (pipes.c) */

/* Creates a pipe, close-on-exec. Reads and writes do not block: they return -EAGAIN instead. */
int umh_bridge_pipe(int *fds);
int umh_bridge_set_nonblocking(int fd);
int umh_bridge_available(int fd, long long identity);
int umh_bridge_poll(int fd, int event, int timeout_ms);
int umh_bridge_read(JNIEnv *env, int fd, long long identity, jbyteArray bytes, int offset, int length);
int umh_bridge_write(JNIEnv *env, int fd, long long identity, jbyteArray bytes, int offset, int length);
int umh_bridge_read_direct(JNIEnv *env, int fd, long long identity, jobject buffer, int offset, int length);
int umh_bridge_write_direct(JNIEnv *env, int fd, long long identity, jobject buffer, int offset, int length);

/* Each function of the generated glue has a variable env. */
#define UMH_BRIDGE_DESCRIPTOR(object)                  umh_bridge_descriptor(env, object)
#define UMH_BRIDGE_READ(fd, identity, a, o, n)         umh_bridge_read(env, fd, identity, (jbyteArray)(a), o, n)
#define UMH_BRIDGE_WRITE(fd, identity, a, o, n)        umh_bridge_write(env, fd, identity, (jbyteArray)(a), o, n)
#define UMH_BRIDGE_READ_DIRECT(fd, identity, b, o, n)  umh_bridge_read_direct(env, fd, identity, b, o, n)
#define UMH_BRIDGE_WRITE_DIRECT(fd, identity, b, o, n) umh_bridge_write_direct(env, fd, identity, b, o, n)

/* The host (host.c) */

/* The kernel's landlock ABI, or a negative errno. */
int umh_bridge_landlock_abi(void);
int umh_bridge_features(void);
void umh_bridge_disable_features(int features);
int umh_bridge_stage_names(signed char *names, int size);

/* The calling thread's capabilities, the kernel's last capability, and the thread's ids. */
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
