// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import org.umh4j.internal.Host;
import org.umh4j.linux.Capability;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Rlimit;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;

/**
 * The hint at the end of an error message: the likely cause, and the next step. {@code docs/errors.md} has all causes
 * of each stage.
 */
final class ErrorHints {
    private static final Rlimit[] RLIMITS = Rlimit.values();

    private ErrorHints() {}

    /** The object that failed, for stages with several: it follows the name of the stage. */
    static String detail(UmhStage stage, int detail) {
        return switch (stage) {
            case RLIMIT, NOFILE, NPROC -> detail < RLIMITS.length ? " of RLIMIT_" + RLIMITS[detail] : "";
            case SOURCE, DESCRIPTORS -> " of descriptor " + detail;
            case BOUNDING, AMBIENT ->
                " of " + (detail >= 0 && detail < Long.SIZE ? Capability.name(detail) : "capability " + detail);
            case SIGNALS, KILL -> detail == 0 ? "" : " of " + Signal.name(detail);
            case KILLED -> detail == 0 ? "" : " by " + Signal.name(detail);
            default -> "";
        };
    }

    /**
     * The hint for an errno at a stage.
     *
     * @return the hint; empty if the errno has no single likely cause
     */
    static String of(UmhStage stage, int number) {
        Errno errno = Errno.of(number);
        if (errno == null) {
            return "";
        }
        return switch (stage) {
            case BLOB -> blob(errno);
            case SETUP -> "give a path and at least one argument, by convention the program's name";
            case DISABLED -> "helpers are disabled; call HelperGate.enable(), or thaw() after a freeze";
            case INIT -> "the init function of the call refused it; see InitException";
            case EXEC -> exec(errno);
            case LAUNCH -> launch(errno);
            case CLONE, CLOSE_FDS, SOCKET, WAIT -> resources(errno);
            case BOUNDING, CAPABILITIES, SECUREBITS -> errno == Errno.EPERM ? capabilities() : "";
            case KILL -> kill(errno);
            case POLICY -> "HelperPaths.allowOnly does not list this path; add it there or to org.umh4j.allowed.paths";
            default -> other(stage, errno);
        };
    }

    private static String kill(Errno errno) {
        return switch (errno) {
            case EPERM -> "the process has another uid; grant this JVM CAP_KILL";
            case ENOENT -> "/proc is not mounted, or belongs to another pid namespace; mount that of this namespace";
            default -> "";
        };
    }

    private static String capabilities() {
        boolean hasSetpcap = (Host.effective() >> Capability.CAP_SETPCAP.ordinal() & 1) != 0;
        return hasSetpcap
                ? "this JVM lacks a capability that was requested; request no more than umh caps lists"
                : "this JVM lacks CAP_SETPCAP; grant it, or leave capabilities and securebits as they are";
    }

    private static String other(UmhStage stage, Errno errno) {
        String hint = switch (errno) {
            case EPERM, EACCES -> missingPrivilege(stage);
            case EINVAL -> invalid(stage);
            default -> "";
        };
        return hint.isEmpty() ? specific(stage, errno) : hint;
    }

    private static String missingPrivilege(UmhStage stage) {
        return switch (stage) {
            case UID, GID, GROUPS -> "grant this JVM CAP_SETUID and CAP_SETGID";
            case UNSHARE, JOIN ->
                "grant this JVM CAP_SYS_ADMIN, or add a new user namespace by NamespaceSetup.mapRoot()";
            case ID_MAP -> "grant this JVM CAP_SETUID and CAP_SETGID, or map its own uid and gid alone";
            case ROOT -> "grant this JVM CAP_SYS_CHROOT, and search permission for each directory of the path";
            case AMBIENT ->
                "make the capability permitted and inheritable, and clear NO_CAP_AMBIENT_RAISE in the securebits";
            case SECCOMP, LANDLOCK -> "add Cred.noNewPrivs(), or grant this JVM CAP_SYS_ADMIN";
            case CGROUP -> "grant this user write access to cgroup.procs there and in the common ancestor";
            case NICE, SCHED, IOPRIO -> "grant this JVM CAP_SYS_NICE, or raise RLIMIT_NICE or RLIMIT_RTPRIO";
            case RLIMIT, NOFILE, NPROC, OOM_SCORE_ADJ -> "grant this JVM CAP_SYS_RESOURCE, or ask for a lower value";
            case EXEC_LABEL -> "the security module refuses this label; check its policy";
            default -> "";
        };
    }

    private static String invalid(UmhStage stage) {
        return switch (stage) {
            case UID, GID, GROUPS -> "the id has no mapping in the user namespace; map it, or use a mapped one";
            case JOIN -> "the file is no namespace of this kind, or is the JVM's user namespace; name another one";
            case CGROUP -> "this is not a directory of the cgroup2 file system; name one below the cgroup2 mount";
            case EXEC_LABEL -> "no security module knows this label; check the label and the loaded modules";
            case SECCOMP -> "the filter is not a valid BPF program; check its jumps and its length";
            default -> "";
        };
    }

    private static String specific(UmhStage stage, Errno errno) {
        return switch (stage) {
            case SOURCE, JOIN ->
                errno == Errno.ENXIO
                        ? "the file is a FIFO without an open peer, or a socket; open the FIFO READ_WRITE, or open it"
                                + " in the JVM and inherit the descriptor"
                        : "";
            case KEYRING ->
                errno == Errno.EDQUOT
                        ? "the key quota of this user is exhausted; raise maxkeys or maxbytes in /proc/sys/kernel/keys"
                        : "";
            case DESCRIPTORS ->
                errno == Errno.EBADF || errno == Errno.EINVAL
                        ? "the number is above RLIMIT_NOFILE; use a lower number, or raise this JVM's limit"
                        : "";
            case CGROUP ->
                errno == Errno.EBUSY
                        ? "the cgroup is frozen, or distributes controllers to children; thaw it, or name a child"
                        : "";
            case CWD ->
                errno == Errno.ENOENT
                        ? "the directory does not exist in the helper's root; create it, or set another one by Fs.cwd"
                        : errno == Errno.EACCES
                                ? "the helper may not enter a directory of the path; grant it search permission"
                                : "";
            case UNSHARE ->
                errno == Errno.ENOSPC ? "a limit of namespaces is reached; raise /proc/sys/user/max_*_namespaces" : "";
            case LANDLOCK ->
                errno == Errno.ENOSYS || errno == Errno.EOPNOTSUPP
                        ? "landlock is not enabled; add it to lsm= of the kernel's command line, or omit the rules"
                        : "";
            case KILLED ->
                "the launcher was killed by another process, the out-of-memory killer, or a seccomp filter of this JVM;"
                        + " check the kernel log";
            default -> "";
        };
    }

    private static String blob(Errno errno) {
        return switch (errno) {
            case EBUSY -> "a program is loaded already, or its process runs; call unload(), or wait for the exit";
            case EINVAL -> "no program is loaded; call load() first";
            case ENOEXEC -> "an empty blob is no program; pass the bytes of an executable or a script";
            case EACCES ->
                "this host forbids executable memfds; lower vm.memfd_noexec, or grant this JVM CAP_SYS_ADMIN"
                        + " on Linux 5.12 or later for a private tmpfs; a path must name a regular file";
            case ENOSPC, ENOMEM, EFBIG -> "no memory for the program; raise memory.max of the cgroup, or free memory";
            default -> resources(errno);
        };
    }

    private static String exec(Errno errno) {
        return switch (errno) {
            case ENOENT -> "the program or its interpreter does not exist; check both in the helper's root";
            case EACCES ->
                "the program is not a regular file, not executable for this user, or on a noexec mount;"
                        + " check mode, directories and mount options";
            case ENOEXEC ->
                "the program is neither for this architecture nor a script with #!; add that line: no shell is tried";
            case ETXTBSY -> "the program is open for writing; wait until the writer has closed it";
            case E2BIG -> "arguments and environment are too large for the kernel; pass them in a file or a pipe";
            case EAGAIN -> "the user has more processes than RLIMIT_NPROC; raise it, or end some of them";
            case ENAMETOOLONG -> "use a path of at most 4,095 bytes, with names of at most 255";
            default -> "";
        };
    }

    private static String launch(Errno errno) {
        return switch (errno) {
            case E2BIG ->
                "use arguments of less than 128 KiB each; all of them and the environment must fit in a quarter"
                        + " of RLIMIT_STACK, and in 6 MiB";
            case EACCES, EPERM -> "this host forbids to execute the launcher's memfd; run umh doctor";
            default -> resources(errno);
        };
    }

    private static String resources(Errno errno) {
        return switch (errno) {
            case EBADF ->
                "other code in this JVM has closed a descriptor of this library; find it: strace -f -k -e close";
            case EMFILE -> "this JVM has no descriptor left; raise RLIMIT_NOFILE (ulimit -n)";
            case ENFILE -> "the host has no file left; raise /proc/sys/fs/file-max";
            case EAGAIN ->
                "a process limit is reached; raise pids.max of the cgroup, RLIMIT_NPROC, or kernel.threads-max";
            case ENOMEM -> "no memory is left; raise memory.max of the cgroup, or free memory of the host";
            case ETOOMANYREFS -> "more descriptors are being passed than RLIMIT_NOFILE; raise it";
            default -> "";
        };
    }
}
