// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

/**
 * The result of one attempt to start a helper, as far as it is known.
 *
 * <p>If the caller does not wait for the outcome, the {@link Reaper} watches the launch and completes its result.
 */
public final class LaunchResult {
    /** The point at which {@link #start} returns. */
    public enum Until {
        /** The process has been created. Never blocks for long; the reaper does the rest. */
        STARTED(Native.untilStarted()),
        /** {@code execve} has succeeded or failed. If that takes long, the reaper finds out the outcome. */
        EXEC(Native.untilExec()),
        /** The helper has ended. */
        EXIT(Native.untilExit());

        private final int code;

        Until(int code) {
            this.code = code;
        }
    }

    private static final int PENDING = Native.pending();
    private static final int COUNT = Native.resultCount();
    private static final int PID = Native.resultPid();
    private static final int PIDFD = Native.resultPidfd();
    private static final int SOCKET = Native.resultSocket();
    private static final int STAGE = Native.resultStage();
    private static final int DETAIL = Native.resultDetail();
    private static final int UNAPPLIED = Native.resultUnapplied();
    private static final int STATUS = Native.resultStatus();
    private static final int LAUNCHED = Native.resultLaunched();
    private static final int REPORTED = Native.resultReported();

    private final long[] fields = new long[COUNT];
    private final long begin = System.nanoTime();
    private long end;
    private int result;

    private LaunchResult() {}

    /**
     * Starts a helper and returns at the given point.
     *
     * @param strings path, arguments and environment strings, each with its NUL
     * @param limitMillis the longest wait for the launcher's execve; 0 is the default
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
                launch.fields);
        launch.end = System.nanoTime();
        return launch;
    }

    /** Returns whether the outcome is known now. A second process may have replaced the first in either case. */
    boolean pollOutcome() {
        int outcome = Native.pollExec(fields);
        if (outcome == PENDING) {
            return false;
        }
        result = outcome;
        end = System.nanoTime();
        return true;
    }

    /** Continues the launcher if a process has stopped it. */
    void continueIfStopped() {
        Native.continueIfStopped(fields);
    }

    /** Allows the execve of a launcher with {@link Plan#WAIT_BEFORE_EXEC}. Returns 0 or a negative errno. */
    int allowExec() {
        return Native.allowExec(fields);
    }

    /** Sends a signal to the process. Returns 0 or a negative errno. */
    int signal(int signal) {
        return Native.signal(fields, signal);
    }

    /** Sends a signal to the process group that the process leads, or has led. Returns 0 or a negative errno. */
    int signalGroup(boolean reaped, int signal) {
        return Native.signalGroup(fields, reaped ? 1 : 0, signal);
    }

    /** Reaps the process without waiting. Returns {@code -EAGAIN} while it lives. */
    int reap(long[] end) {
        return Native.reap(fields, end);
    }

    /**
     * Opens the pidfd again if other code has closed it. Returns 0 if it was open, 1 if it was opened again, or a
     * negative errno.
     */
    int reopenPidfd() {
        return Native.reopenPidfd(fields);
    }

    void closePidfd() {
        Native.closePidfd(fields);
    }

    /** Returns the begin of the launch, in the clock of {@link System#nanoTime}. */
    public long beginNanos() {
        return begin;
    }

    /** Returns the time until the outcome was known, or until the process was created. */
    public long nanos() {
        return end - begin;
    }

    /** Returns the time of the launcher's own execve, in the clock of {@link System#nanoTime}. */
    public long launchedNanos() {
        return fields[LAUNCHED];
    }

    /** Returns the time at which the launcher had applied the plan; 0 without {@link Plan#REPORT_TIME}. */
    public long reportedNanos() {
        return fields[REPORTED];
    }

    /** Returns the time at which the outcome was known. */
    public long endNanos() {
        return end;
    }

    /** Returns 0, or the negative errno of {@link #stage}. */
    public int result() {
        return result;
    }

    public int pid() {
        return (int) fields[PID];
    }

    int pidfd() {
        return (int) fields[PIDFD];
    }

    int socket() {
        return (int) fields[SOCKET];
    }

    /** Returns the ordinal of the UmhStage that failed. */
    public int stage() {
        return (int) fields[STAGE];
    }

    /** Returns the number of the resource, capability, descriptor or signal that failed, or 0. */
    public int detail() {
        return (int) fields[DETAIL];
    }

    /** Returns one bit for each stage that was not applied and not required. */
    public long unapplied() {
        return fields[UNAPPLIED];
    }

    /** Returns the wait status, after {@link Until#EXIT}. */
    public int status() {
        return (int) fields[STATUS];
    }
}
