// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import org.umh4j.internal.Host;
import org.umh4j.linux.Capability;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Rlimit;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;

/** What an error means here and what to do about it, in half a sentence; {@code docs/errors.md} has the rest. */
final class ErrorHints {
    private static final Rlimit[] RLIMITS = Rlimit.values();

    private ErrorHints() {}

    /** Which one of several it was, to stand behind the stage's name. */
    static String detail(UmhStage stage, int detail) {
        return switch (stage) {
            case RLIMIT, NOFILE, NPROC -> detail < RLIMITS.length ? " of RLIMIT_" + RLIMITS[detail] : "";
            case SOURCE, DESCRIPTORS -> " of descriptor " + detail;
            case BOUNDING, AMBIENT -> " of " + Capability.name(detail);
            case SIGNALS, KILL -> detail == 0 ? "" : " of " + Signal.name(detail);
            case KILLED -> detail == 0 ? "" : " by " + Signal.name(detail);
            default -> "";
        };
    }

    private static String capabilities() {
        boolean may = (Host.effective() >> Capability.CAP_SETPCAP.ordinal() & 1) != 0;
        return may ? "this JVM does not have all that was asked for" : "this JVM lacks CAP_SETPCAP";
    }

    static String of(UmhStage stage, int number) {
        Errno errno = Errno.of(number);
        if (errno == null) {
            return "";
        }
        return switch (stage) {
            case BLOB -> blob(errno);
            case SETUP -> "the path and at least one argument, the program's own name, must be given";
            case DISABLED -> "helpers are disabled; HelperGate.enable() or thaw() enables them again";
            case INIT -> "the init function refused";
            case EXEC -> exec(errno);
            case LAUNCH -> launch(errno);
            case CLONE, CLOSE_FDS, SOCKET -> resources(errno);
            case BOUNDING, CAPABILITIES, SECUREBITS -> errno == Errno.EPERM ? capabilities() : "";
            case KILL -> errno == Errno.ENOENT ? "/proc is not mounted, or is that of another pid namespace" : "";
            case POLICY -> "HelperPaths.allowOnly does not list it";
            default -> identity(stage, errno);
        };
    }

    private static String identity(UmhStage stage, Errno errno) {
        if (errno != Errno.EPERM && errno != Errno.EACCES && errno != Errno.EINVAL) {
            return more(stage, errno);
        }
        return switch (stage) {
            case UID, GID, GROUPS ->
                errno == Errno.EINVAL
                        ? "the id has no mapping in the user namespace"
                        : "this JVM lacks CAP_SETUID or CAP_SETGID";
            case UNSHARE, JOIN ->
                "needs CAP_SYS_ADMIN; a new user namespace, NamespaceSetup.mapRoot(), gives it without";
            case ID_MAP -> "a map of more than oneself needs CAP_SETUID and CAP_SETGID";
            case ROOT -> "needs CAP_SYS_CHROOT";
            case AMBIENT -> "must be permitted and inheritable, and the securebits must let it";
            case SECCOMP, LANDLOCK -> "needs Cred.noNewPrivs() or CAP_SYS_ADMIN";
            case CGROUP ->
                errno == Errno.EINVAL
                        ? "not a folder of the cgroup2 file system"
                        : "this JVM may not write cgroup.procs there";
            case NICE, SCHED, IOPRIO -> "needs CAP_SYS_NICE, or the limits RLIMIT_NICE and RLIMIT_RTPRIO";
            case RLIMIT, NOFILE, NPROC, OOM_SCORE_ADJ -> "needs CAP_SYS_RESOURCE";
            case EXEC_LABEL -> "the security module refuses this label, or there is none";
            default -> more(stage, errno);
        };
    }

    private static String more(UmhStage stage, Errno errno) {
        return switch (stage) {
            case SOURCE, JOIN ->
                errno == Errno.ENXIO
                        ? "a FIFO without an open peer, or a socket: open a FIFO READ_WRITE, or open and inherit it"
                        : "";
            case KEYRING -> errno == Errno.EDQUOT ? "this user's key quota is used up: /proc/sys/kernel/keys" : "";
            case DESCRIPTORS ->
                errno == Errno.EBADF || errno == Errno.EINVAL ? "the number is above RLIMIT_NOFILE" : "";
            case CGROUP -> errno == Errno.EBUSY ? "it is frozen, or has given controllers to groups below it" : "";
            case KILLED ->
                "the launcher was killed: by a process, by the out-of-memory killer, or by a seccomp filter of this JVM";
            default -> "";
        };
    }

    private static String blob(Errno errno) {
        return switch (errno) {
            case EBUSY -> "there is one already, or it runs; unload it, or wait for its end";
            case EINVAL -> "there is none; load it first";
            case ENOEXEC -> "an empty blob is no program";
            case EACCES ->
                "this host forbids executable memfds (vm.memfd_noexec), and a private tmpfs instead needs"
                        + " CAP_SYS_ADMIN and Linux 5.12";
            case ENOSPC, ENOMEM, EFBIG -> "the host, or the memory cgroup, has no memory for it";
            default -> resources(errno);
        };
    }

    private static String exec(Errno errno) {
        return switch (errno) {
            case ENOENT -> "the program, or the interpreter that it names, does not exist";
            case EACCES -> "not a regular file, not executable for this user, or on a noexec mount";
            case ENOEXEC -> "not a program for this machine, nor a script with #!; no shell is tried";
            case ETXTBSY -> "the program is open for writing somewhere";
            case E2BIG -> "arguments and environment are larger than the kernel takes";
            case EAGAIN -> "the user's process limit, RLIMIT_NPROC, is exceeded";
            case ENAMETOOLONG -> "a path is at most 4,095 bytes long, and a name in it 255";
            default -> "";
        };
    }

    private static String launch(Errno errno) {
        return switch (errno) {
            case E2BIG ->
                "one argument is at most 128 KiB long; all of them and the environment at most a quarter"
                        + " of RLIMIT_STACK, and 6 MiB";
            case EACCES, EPERM -> "this host does not let the launcher's memfd be executed; umh doctor says more";
            default -> resources(errno);
        };
    }

    private static String resources(Errno errno) {
        return switch (errno) {
            case EBADF -> "other code of this JVM has closed a descriptor of the library's";
            case EMFILE -> "this JVM's RLIMIT_NOFILE is reached";
            case ENFILE -> "the host's file limit is reached: /proc/sys/fs/file-max";
            case EAGAIN -> "a process limit is reached: pids.max of the cgroup, RLIMIT_NPROC, or kernel.threads-max";
            case ENOMEM -> "the host, or the memory cgroup, has no memory left";
            case ETOOMANYREFS -> "more descriptors are being passed than RLIMIT_NOFILE";
            default -> "";
        };
    }
}
