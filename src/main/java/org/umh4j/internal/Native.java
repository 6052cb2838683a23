// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import org.bytedeco.javacpp.annotation.Const;
import org.bytedeco.javacpp.annotation.MemberGetter;
import org.bytedeco.javacpp.annotation.Name;
import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Raw;
import org.jspecify.annotations.Nullable;

/**
 * All native methods: the functions of {@code jni/bridge.h}.
 *
 * <p>Each method returns 0 or more, or a negative errno. None throws. Constants come from C, so that no number is
 * written twice. The initializer loads the library. If the library can't be loaded, this class is initialized
 * nevertheless, since an error of the initializer would hide the reason from later callers.
 * {@link NativeLibrary#require} throws the reason before a native method is called.
 */
@Platform(include = "jni/bridge.h", library = "jniumh4j")
final class Native {
    /** The reason why the library could not be loaded, or null. */
    @SuppressWarnings("StaticAssignmentOfThrowable") // NativeLibrary throws it, as a cause
    static final @Nullable Throwable FAILURE = LibraryFile.load();

    private Native() {}

    /** Loads the launcher from its image, or from the file of this path if the size is 0. */
    @NoException
    @Name("umh_bridge_load")
    static native int load(@Const byte[] image, int size);

    /** Starts a launch and returns at the point of {@code until}. See {@link LaunchResult#start}. */
    @NoException
    @Name("umh_bridge_start")
    static native int start(
            @Const byte[] strings,
            int size,
            int argc,
            int envc,
            byte[] plan,
            int planSize,
            @Const int[] fds,
            int fdCount,
            int cgroup,
            int until,
            int limitMillis,
            long[] result);

    /** Checks the launches whose thread waits in the kernel. The reaper calls it between its events. */
    @NoException
    @Name("umh_bridge_check_launches")
    static native void checkLaunches();

    /** Returns the outcome of a launch without waiting. */
    @NoException
    @Name("umh_bridge_poll_exec")
    static native int pollExec(long[] result);

    /** Returns the interval in milliseconds at which a launcher is checked until its outcome is known. */
    @NoException
    @Name("umh_bridge_stop_check_ms")
    static native int stopCheckMillis();

    /** Continues a stopped launcher. Kills it after too many stops. */
    @NoException
    @Name("umh_bridge_continue_if_stopped")
    static native int continueIfStopped(long[] result);

    /**
     * Reaps the process without waiting, and fills in status and resource usage. Returns {@code -EAGAIN} while it
     * lives.
     */
    @NoException
    @Name("umh_bridge_wait")
    static native int reap(@Const long[] result, long[] end);

    /** Sends a signal to the process of a launch result. */
    @NoException
    @Name("umh_bridge_signal")
    static native int signal(@Const long[] result, int signal);

    /** Sends a signal by a pidfd. */
    @NoException
    @Name("umh_bridge_signal_pidfd")
    static native int signalPidfd(int pidfd, int signal);

    /**
     * Opens the pidfd of a launch result again if other code has closed it. Returns 0 if it was open, 1 if it was
     * opened again, or a negative errno.
     */
    @NoException
    @Name("umh_bridge_reopen_pidfd")
    static native int reopenPidfd(long[] result);

    /** Closes the pidfd of a launch result. */
    @NoException
    @Name("umh_bridge_close_pidfd")
    static native void closePidfd(@Const long[] result);

    /** Sends a signal to the process group that the process of a launch result leads. */
    @NoException
    @Name("umh_bridge_signal_group")
    static native int signalGroup(@Const long[] result, int reaped, int signal);

    /** Returns the session of a process: 0 if its leader is outside of this pid namespace. */
    @NoException
    @Name("umh_bridge_getsid")
    static native int getsid(int pid);

    /** Has {@link #epollWait} return the token once, at the next event of the descriptor. */
    @NoException
    @Name("umh_bridge_epoll_watch")
    static native int epollWatch(int fd, int event, long token);

    /** Waits for events. Returns their number, with their tokens in the array. */
    @NoException
    @Name("umh_bridge_epoll_wait")
    static native int epollWait(long[] tokens, int capacity, int timeoutMillis);

    /** Opens a file with O_CLOEXEC. The path ends in NUL. */
    @NoException
    @Name("umh_bridge_open")
    static native int open(@Const byte[] path, int flags, int mode);

    /** Opens a path below a root with O_PATH. Both paths end in NUL. */
    @NoException
    @Name("umh_bridge_open_below")
    static native int openBelow(@Const byte[] root, @Const byte[] path);

    /** Returns 1 if the descriptor refers to a directory. */
    @NoException
    @Name("umh_bridge_is_directory")
    static native int isDirectory(int fd);

    /** Opens the directory of a cgroup. Returns {@code -EINVAL} if it is not a cgroup of version 2. */
    @NoException
    @Name("umh_bridge_open_cgroup")
    static native int openCgroup(@Const byte[] path);

    /** Returns 0 if the descriptor refers to the directory of a cgroup of version 2. */
    @NoException
    @Name("umh_bridge_check_cgroup")
    static native int checkCgroup(int fd);

    /** Opens a pidfd of any process. */
    @NoException
    @Name("umh_bridge_pidfd_open")
    static native int pidfdOpen(int pid);

    /** Returns the number of a FileDescriptor, or of an object of the JDK with one in its field fd. */
    @NoException
    @Name("UMH_BRIDGE_DESCRIPTOR")
    static native int descriptor(@Raw Object object);

    /** Creates a pipe with O_CLOEXEC: the reading end, then the writing end. */
    @NoException
    @Name("umh_bridge_pipe")
    static native int pipe(int[] fds);

    /** Sets O_NONBLOCK: calls return {@code -EAGAIN} instead of waiting. */
    @NoException
    @Name("umh_bridge_set_nonblocking")
    static native int setNonblocking(int fd);

    /** Returns the number of bytes that can be read without waiting, {@code FIONREAD}. */
    @NoException
    @Name("umh_bridge_available")
    static native int available(int fd, long identity);

    /** Waits for an event of the descriptor. Returns 1 if it has occurred. */
    @NoException
    @Name("umh_bridge_poll")
    static native int poll(int fd, int event, int timeoutMillis);

    /** Reads into an array, at most 64 KiB. */
    @NoException
    @Name("UMH_BRIDGE_READ")
    static native int read(int fd, long identity, @Raw Object bytes, int offset, int length);

    /** Writes from an array, at most 64 KiB. */
    @NoException
    @Name("UMH_BRIDGE_WRITE")
    static native int write(int fd, long identity, @Raw Object bytes, int offset, int length);

    /** Reads into a direct buffer. */
    @NoException
    @Name("UMH_BRIDGE_READ_DIRECT")
    static native int readDirect(int fd, long identity, @Raw Object buffer, int offset, int length);

    /** Writes from a direct buffer. */
    @NoException
    @Name("UMH_BRIDGE_WRITE_DIRECT")
    static native int writeDirect(int fd, long identity, @Raw Object buffer, int offset, int length);

    /** Returns the kernel's landlock ABI, or a negative errno. */
    @NoException
    @Name("umh_bridge_landlock_abi")
    static native int landlockAbi();

    /** Returns the identity of a descriptor's file, or 0 if the descriptor is not open. */
    @NoException
    @Name("umh_bridge_file_identity")
    static native long fileIdentity(int fd);

    /** Returns 1 if the number still refers to the file with this identity. */
    @NoException
    @Name("umh_bridge_is_same_file")
    static native int isSameFile(int fd, long identity);

    /** Closes a descriptor, unless its number refers to another file. */
    @NoException
    @Name("umh_bridge_close_if_same")
    static native void closeIfSame(int fd, long identity);

    /** Opens a program in memory for writing; see enum umh_blob_field of jni/bridge.h. The name ends in NUL. */
    @NoException
    @Name("umh_bridge_blob_open")
    static native int blobOpen(@Const byte[] name, long[] blob);

    /** Seals a complete program, and closes the descriptors of {@link #blobOpen}. Returns the descriptor to execute. */
    @NoException
    @Name("umh_bridge_blob_seal")
    static native int blobSeal(@Const byte[] name, @Const long[] blob);

    /** Discards a program: closes the descriptors of {@link #blobOpen}. */
    @NoException
    @Name("umh_bridge_blob_discard")
    static native void blobDiscard(@Const long[] blob);

    /** Allows the execve of a launcher that waits for it. */
    @NoException
    @Name("umh_bridge_allow_exec")
    static native int allowExec(@Const long[] result);

    /** Returns the features in use, one bit for each constant of {@link Feature}. */
    @NoException
    @Name("umh_bridge_features")
    static native int features();

    /** Disables these features. */
    @NoException
    @Name("umh_bridge_disable_features")
    static native void disableFeatures(int features);

    /** Returns the names of the stages in C, for the test that compares them with {@code UmhStage}. */
    @NoException
    @Name("umh_bridge_stage_names")
    static native int stageNames(byte[] names, int size);

    /** Returns the effective capabilities of the calling thread. */
    @NoException
    @Name("umh_bridge_effective_set")
    static native long effectiveSet();

    /** Returns the bounding set of the calling thread. */
    @NoException
    @Name("umh_bridge_bounding_set")
    static native long boundingSet();

    /** Returns the calling thread's effective uid. */
    @NoException
    @Name("umh_bridge_uid")
    static native int uid();

    /** Returns the calling thread's effective gid. */
    @NoException
    @Name("umh_bridge_gid")
    static native int gid();

    /** Returns 1 if the calling thread has no_new_privs. */
    @NoException
    @Name("umh_bridge_no_new_privs")
    static native int noNewPrivs();

    /** Has {@link #epollWait} return without an event. */
    @NoException
    @Name("umh_epoll_wake")
    static native int epollWake();

    /** Returns the number of the kernel's last capability. */
    @NoException
    @Name("umh_bridge_last_capability")
    static native int lastCapability();

    @NoException
    @MemberGetter
    @Name("UMH_RESULT_COUNT")
    static native int resultCount();

    @NoException
    @MemberGetter
    @Name("UMH_RESULT_PID")
    static native int resultPid();

    @NoException
    @MemberGetter
    @Name("UMH_RESULT_PIDFD")
    static native int resultPidfd();

    @NoException
    @MemberGetter
    @Name("UMH_RESULT_SOCKET")
    static native int resultSocket();

    @NoException
    @MemberGetter
    @Name("UMH_BLOB_COUNT")
    static native int blobCount();

    @NoException
    @MemberGetter
    @Name("UMH_BLOB_FD")
    static native int blobFd();

    @NoException
    @MemberGetter
    @Name("UMH_BLOB_FD_IDENTITY")
    static native int blobFdIdentity();

    @NoException
    @MemberGetter
    @Name("ESTALE")
    static native int estale();

    @NoException
    @MemberGetter
    @Name("EBADF")
    static native int ebadf();

    @NoException
    @MemberGetter
    @Name("UMH_RESULT_STAGE")
    static native int resultStage();

    @NoException
    @MemberGetter
    @Name("UMH_RESULT_DETAIL")
    static native int resultDetail();

    @NoException
    @MemberGetter
    @Name("UMH_RESULT_UNAPPLIED")
    static native int resultUnapplied();

    @NoException
    @MemberGetter
    @Name("UMH_RESULT_STATUS")
    static native int resultStatus();

    @NoException
    @MemberGetter
    @Name("UMH_RESULT_LAUNCHED_NS")
    static native int resultLaunched();

    @NoException
    @MemberGetter
    @Name("UMH_RESULT_REPORTED_NS")
    static native int resultReported();

    @NoException
    @MemberGetter
    @Name("UMH_UNTIL_STARTED")
    static native int untilStarted();

    @NoException
    @MemberGetter
    @Name("UMH_UNTIL_EXEC")
    static native int untilExec();

    @NoException
    @MemberGetter
    @Name("UMH_UNTIL_EXIT")
    static native int untilExit();

    @NoException
    @MemberGetter
    @Name("UMH_HANG_UP")
    static native int hangUp();

    @NoException
    @MemberGetter
    @Name("UMH_EXIT")
    static native int exit();

    @NoException
    @MemberGetter
    @Name("UMH_READABLE")
    static native int readable();

    @NoException
    @MemberGetter
    @Name("UMH_WRITABLE")
    static native int writable();

    @NoException
    @MemberGetter
    @Name("UMH_EXIT_COUNT")
    static native int exitCount();

    @NoException
    @MemberGetter
    @Name("UMH_STATUS_LOST")
    static native int statusLost();

    @NoException
    @MemberGetter
    @Name("UMH_PENDING")
    static native int pending();

    @NoException
    @MemberGetter
    @Name("EAGAIN")
    static native int eagain();

    @NoException
    @MemberGetter
    @Name("ESRCH")
    static native int esrch();

    @NoException
    @MemberGetter
    @Name("EINTR")
    static native int eintr();

    @NoException
    @MemberGetter
    @Name("ETIMEDOUT")
    static native int etimedout();

    @NoException
    @MemberGetter
    @Name("EPERM")
    static native int eperm();

    @NoException
    @MemberGetter
    @Name("EPIPE")
    static native int epipe();

    @NoException
    @MemberGetter
    @Name("SIGKILL")
    static native int sigkill();

    @NoException
    @MemberGetter
    @Name("UMH_PLAN_MAGIC")
    static native int planMagic();

    @NoException
    @MemberGetter
    @Name("UMH_PLAN_SETPGID")
    static native int planSetpgid();

    @NoException
    @MemberGetter
    @Name("UMH_PLAN_SET_PERMITTED")
    static native int planSetPermitted();

    @NoException
    @MemberGetter
    @Name("UMH_PLAN_SET_EFFECTIVE")
    static native int planSetEffective();

    @NoException
    @MemberGetter
    @Name("UMH_PLAN_MAP_SELF")
    static native int planMapSelf();

    @NoException
    @MemberGetter
    @Name("UMH_PLAN_SCRIPT")
    static native int planScript();

    @NoException
    @MemberGetter
    @Name("UMH_PLAN_WAIT_BEFORE_EXEC")
    static native int planWaitBeforeExec();

    @NoException
    @MemberGetter
    @Name("UMH_PLAN_KEYRING_OPTIONAL")
    static native int planKeyringOptional();

    @NoException
    @MemberGetter
    @Name("UMH_PLAN_REPORT_TIME")
    static native int planReportTime();

    @NoException
    @MemberGetter
    @Name("sizeof(struct umh_plan)")
    static native int planSize();

    @NoException
    @MemberGetter
    @Name("UMH_RLIMIT_COUNT")
    static native int rlimitCount();
}
