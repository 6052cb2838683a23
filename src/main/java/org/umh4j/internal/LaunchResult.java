// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

/**
 * The answer to one attempt to start a helper, as far as it is known.
 *
 * <p>A launch that was started and not waited for is watched by the {@link Reaper}, which completes it.
 */
public final class LaunchResult {
    /** How far {@link #start} goes before it returns. */
    public enum Until {
        /** A process exists. Never blocks for long; the rest is the reaper's. */
        STARTED(Native.untilStarted()),
        /** {@code execve} has succeeded; or that takes long, and the reaper decides the launch. */
        EXEC(Native.untilExec()),
        /** The helper has ended. */
        EXIT(Native.untilExit());

        private final int code;

        Until(int code) {
            this.code = code;
        }
    }

    private static final int UNDECIDED = Native.pending();
    private static final int COUNT = Native.resultCount();
    private static final int PID = Native.resultPid();
    private static final int PIDFD = Native.resultPidfd();
    private static final int SOCKET = Native.resultSocket();
    private static final int STAGE = Native.resultStage();
    private static final int DETAIL = Native.resultDetail();
    private static final int KEPT = Native.resultUnapplied();
    private static final int STATUS = Native.resultStatus();
    private static final int LAUNCHED = Native.resultLaunched();
    private static final int SAID = Native.resultReported();

    private final long[] answer = new long[COUNT];
    private final long begin = System.nanoTime();
    private long end;
    private int result;

    private LaunchResult() {}

    /**
     * Starts a helper and goes on until the given point.
     *
     * @param strings path, arguments and environment strings, each with its NUL
     * @param limitMillis the time that the caller waits for the launcher's own start; 0: the default
     */
    public static LaunchResult start(byte[] strings, int argc, int envc, Plan plan, Until until, int limitMillis) {
        LaunchResult launch = new LaunchResult();
        byte[] encoded = plan.encode();
        int[] fds = plan.fds();
        launch.result = Native.start(
                strings,
                strings.length,
                argc,
                envc,
                encoded,
                encoded.length,
                fds,
                fds.length,
                plan.cgroupFd(),
                until.code,
                limitMillis,
                launch.answer);
        launch.end = System.nanoTime();
        return launch;
    }

    /** Asks again; true when the outcome is known now. Either way the process may have been succeeded by another. */
    boolean decide() {
        int now = Native.pollExec(answer);
        if (now == UNDECIDED) {
            return false;
        }
        result = now;
        end = System.nanoTime();
        return true;
    }

    /** Continues the launcher if a process has stopped it. */
    void lookAfter() {
        Native.continueIfStopped(answer);
    }

    /** Lets a held program begin: 0 or a negative errno. */
    int go() {
        return Native.allowExec(answer);
    }

    /** 0 or a negative errno. */
    int signal(int signal) {
        return Native.signal(answer, signal);
    }

    /** The same for the group that the process leads, or has led. */
    int signalGroup(boolean reaped, int signal) {
        return Native.signalGroup(answer, reaped ? 1 : 0, signal);
    }

    /** Reaps, without waiting: {@code -EAGAIN} while the process lives. */
    int reap(long[] end) {
        return Native.reap(answer, end);
    }

    /**
     * Opens the pidfd again if other code has closed it: 0 if it was open, 1 if it was opened again, or a negative
     * errno.
     */
    int regain() {
        return Native.reopenPidfd(answer);
    }

    void closePidfd() {
        Native.closePidfd(answer);
    }

    public long beginNanos() {
        return begin;
    }

    /** How long it took until the outcome was known, or the process was started. */
    public long nanos() {
        return end - begin;
    }

    /** When the launcher was executed, as {@link System#nanoTime} counts. */
    public long launchedNanos() {
        return answer[LAUNCHED];
    }

    /** When it had taken its steps; 0 unless the plan asked for times. */
    public long saidNanos() {
        return answer[SAID];
    }

    /** When the outcome was known. */
    public long endNanos() {
        return end;
    }

    /** 0, or the negative errno of {@link #stage}. */
    public int result() {
        return result;
    }

    public int pid() {
        return (int) answer[PID];
    }

    int pidfd() {
        return (int) answer[PIDFD];
    }

    int socket() {
        return (int) answer[SOCKET];
    }

    /** The ordinal of the UmhStage that failed. */
    public int stage() {
        return (int) answer[STAGE];
    }

    /** Which resource, capability, descriptor or signal it was; else 0. */
    public int detail() {
        return (int) answer[DETAIL];
    }

    /** One bit for each stage that could not be taken and was not required. */
    public long unapplied() {
        return answer[KEPT];
    }

    /** The wait status, when the launch went until EXIT. */
    public int status() {
        return (int) answer[STATUS];
    }
}
