// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import org.bytedeco.javacpp.annotation.Const;
import org.bytedeco.javacpp.annotation.MemberGetter;
import org.bytedeco.javacpp.annotation.Name;
import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;

/**
 * The only native methods: {@code umh_bridge.h}, function by function.
 *
 * <p>Every one answers 0 or more, or a negative errno; none throws. Constants are asked from C, so that no number is
 * written twice. The library is loaded before the first of them can be called.
 */
@Platform(include = "umh_bridge.h", library = "jniumh4j")
final class Native {
    static {
        NativeLibrary.load();
    }

    private Native() {}

    /** Makes the launcher ready from its image. */
    @NoException
    @Name("umh_bridge_load")
    static native int load(@Const byte[] image, int size);

    /** Starts a launch and goes as far as {@code until} says; see {@link Launch#start}. */
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
            int until,
            long[] answer);

    /** Asks how a launch went, without waiting. */
    @NoException
    @Name("umh_bridge_outcome")
    static native int outcome(int pid, int pidfd, int socket, long[] answer);

    /** Reaps, without waiting: {@code -EAGAIN} while the process lives. */
    @NoException
    @Name("umh_bridge_wait")
    static native int reap(int pidfd, int[] status);

    /** Sends a signal by pidfd. */
    @NoException
    @Name("umh_bridge_signal")
    static native int signal(int pidfd, int signal);

    /** Has {@link #events} answer the token, once, when the event has come to the descriptor. */
    @NoException
    @Name("umh_bridge_watch")
    static native int watch(int fd, int event, long token);

    /** Waits for watched events: how many there are, their tokens in the array. */
    @NoException
    @Name("umh_bridge_events")
    static native int events(long[] tokens, int capacity, int timeoutMillis);

    /** Opens a file, close-on-exec; the path ends in NUL. */
    @NoException
    @Name("umh_bridge_open")
    static native int open(@Const byte[] path, int flags, int mode);

    /** Closes a descriptor. */
    @NoException
    @Name("umh_bridge_close")
    static native int close(int fd);

    /** Which of the newer system calls are in use. */
    @NoException
    @Name("umh_bridge_features")
    static native int features();

    /** The names of the stages, for the test that compares them with {@code UmhStage}. */
    @NoException
    @Name("umh_bridge_stages")
    static native int stages(byte[] names, int size);

    /** The effective capabilities of the calling thread. */
    @NoException
    @Name("umh_bridge_effective")
    static native long effective();

    /** The bounding set of the calling thread. */
    @NoException
    @Name("umh_bridge_bounding")
    static native long bounding();

    /** The number of the kernel's last capability. */
    @NoException
    @Name("umh_bridge_last_capability")
    static native int lastCapability();

    @NoException
    @MemberGetter
    @Name("UMH_ANSWER_COUNT")
    static native int answerCount();

    @NoException
    @MemberGetter
    @Name("UMH_ANSWER_PID")
    static native int answerPid();

    @NoException
    @MemberGetter
    @Name("UMH_ANSWER_PIDFD")
    static native int answerPidfd();

    @NoException
    @MemberGetter
    @Name("UMH_ANSWER_SOCKET")
    static native int answerSocket();

    @NoException
    @MemberGetter
    @Name("UMH_ANSWER_STAGE")
    static native int answerStage();

    @NoException
    @MemberGetter
    @Name("UMH_ANSWER_DETAIL")
    static native int answerDetail();

    @NoException
    @MemberGetter
    @Name("UMH_ANSWER_KEPT")
    static native int answerKept();

    @NoException
    @MemberGetter
    @Name("UMH_ANSWER_STATUS")
    static native int answerStatus();

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
    @Name("UMH_STATUS_LOST")
    static native int statusLost();

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
    @Name("SIGKILL")
    static native int sigkill();

    @NoException
    @MemberGetter
    @Name("UMH_PLAN_MAGIC")
    static native int planMagic();

    @NoException
    @MemberGetter
    @Name("sizeof(struct umh_plan)")
    static native int planSize();

    @NoException
    @MemberGetter
    @Name("UMH_RLIMITS")
    static native int rlimits();
}
