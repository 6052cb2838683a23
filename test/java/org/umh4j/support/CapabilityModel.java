// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

/**
 * The arithmetic of capabilities(7), execve(2) and prctl(2), written from these pages: the capabilities of a helper,
 * given those of the launcher, the request and the program; or the stage of the failure. Sets are plain words, so
 * that the model uses no code of the library.
 */
public final class CapabilityModel {
    /** Securebits, as {@code linux/securebits.h} numbers them. */
    public static final int NOROOT = 1;

    public static final int NO_SETUID_FIXUP = 1 << 2;
    public static final int KEEP_CAPS = 1 << 4;
    public static final int KEEP_CAPS_LOCKED = 1 << 5;

    /** The combinations that Cred rejects, by its documentation. */
    public static final String IMPOSSIBLE = "IllegalArgumentException";

    private static final long SETUID = 1L << 7;
    private static final long SETPCAP = 1L << 8;

    private CapabilityModel() {}

    /** A process; all its uids are 0 or none is. */
    public record Process(
            boolean root,
            long permitted,
            long effective,
            long inheritable,
            long bounding,
            long ambient,
            int securebits,
            boolean noNewPrivs) {
        /** "Transformation of capabilities during execve()" and "Capabilities and execution of programs by root". */
        public Process execute(Program file) throws Refused {
            boolean asRoot = root && (securebits & NOROOT) == 0;
            long filePermitted = asRoot ? -1 : file.permitted;
            long fileInheritable = asRoot ? -1 : file.inheritable;
            boolean fileEffective = asRoot || file.effective;
            long fromFile = inheritable & fileInheritable | filePermitted & bounding;
            // "Safety checking for capability-dumb binaries". The kernel does it before it thinks of root: by what the
            // file itself gives, even where the process is going to have all of it in another way.
            require("EXEC", !file.effective || within(file.permitted, inheritable & file.inheritable | bounding));
            // The man pages state that such a file's capabilities are ignored; no_new_privs.rst, that they add
            // nothing to the
            // permitted set. It is the latter that the kernel does: the file still counts as privileged.
            long gained = noNewPrivs ? fromFile & permitted : fromFile;
            long newAmbient = file.privileged ? 0 : ambient;
            long newPermitted = gained | newAmbient;
            long newEffective = fileEffective ? newPermitted : newAmbient;
            return new Process(
                    root,
                    newPermitted,
                    newEffective,
                    inheritable,
                    bounding,
                    newAmbient,
                    securebits & ~KEEP_CAPS,
                    noNewPrivs);
        }

        /** As the probe's {@code caps} prints it. */
        @Override
        public String toString() {
            return String.format(
                    "%x %x %x %x %x %x %d",
                    permitted, effective, inheritable, bounding, ambient, securebits, noNewPrivs ? 1 : 0);
        }
    }

    /** The executed program, with its file capabilities. */
    public record Program(boolean privileged, long permitted, long inheritable, boolean effective) {
        public static final Program PLAIN = new Program(false, 0, 0, false);
    }

    /** The requested sets; null for none. */
    public record Request(
            Integer uid,
            Long permitted,
            Long effective,
            Long inheritable,
            Long bounding,
            Long ambient,
            Integer securebits,
            boolean noNewPrivs) {
        long wantedAmbient() {
            return ambient == null ? 0 : ambient;
        }

        long wantedInheritable() {
            return inheritable == null ? 0 : inheritable;
        }

        /** Cred's own rules. */
        boolean isPossible() {
            boolean otherUid = uid != null && uid != 0;
            return within(wantedAmbient(), wantedInheritable())
                    && (permitted == null || within(wantedAmbient(), permitted))
                    && (permitted != null || !otherUid || wantedAmbient() == 0)
                    && (permitted == null || effective == null || within(effective, permitted));
        }
    }

    /** A step that the kernel refuses. */
    public static final class Refused extends Exception {
        private static final long serialVersionUID = 1;

        Refused(String stage) {
            super(stage + " EPERM", null, false, false);
        }
    }

    /** The line that the helper prints, or the stage and the errno, or what exception there is. */
    public static String outcome(Process launcher, Request request, Program program) {
        if (!request.isPossible()) {
            return IMPOSSIBLE;
        }
        try {
            return helper(launcher, request).execute(program).toString();
        } catch (Refused e) {
            return e.getMessage();
        }
    }

    /** The process before execve: "Programmatically adjusting capability sets", and prctl(2) for the other two. */
    private static Process helper(Process start, Request request) throws Refused {
        boolean setpcap = within(SETPCAP, start.effective);
        long bounding = start.bounding & (request.bounding == null ? -1 : request.bounding);
        require("BOUNDING", bounding == start.bounding || setpcap);
        boolean root = request.uid == null ? start.root : request.uid == 0;
        require("UID", request.uid == null || start.root && root || within(SETUID, start.effective));
        long permitted = permitted(start, root, request);
        long inheritable = request.wantedInheritable();
        require(
                "CAPABILITIES",
                within(permitted, start.permitted)
                        && within(inheritable, start.inheritable | bounding)
                        && (setpcap || within(inheritable, start.inheritable | start.permitted)));
        long ambient = request.wantedAmbient();
        require("AMBIENT", within(ambient, permitted & inheritable));
        int securebits = request.securebits != null ? request.securebits : setpcap ? 0 : start.securebits;
        require("SECUREBITS", securebits == start.securebits || setpcap);
        long effective = effective(start, root, permitted, request);
        require("EFFECTIVE", within(effective, permitted));
        return new Process(
                root,
                permitted,
                effective,
                inheritable,
                bounding,
                ambient,
                securebits,
                start.noNewPrivs || request.noNewPrivs);
    }

    /** "Effect of user ID changes on capabilities", where none are asked for. */
    private static long permitted(Process start, boolean root, Request request) {
        if (request.permitted != null) {
            return request.permitted;
        }
        return start.root && !root && fixesUp(start) ? 0 : start.permitted;
    }

    private static long effective(Process start, boolean root, long permitted, Request request) {
        if (request.effective != null) {
            return request.effective;
        }
        if (request.permitted != null || !start.root && root && fixesUp(start)) {
            return permitted;
        }
        return start.root && !root && fixesUp(start) ? 0 : start.effective;
    }

    private static boolean fixesUp(Process process) {
        return (process.securebits & NO_SETUID_FIXUP) == 0;
    }

    private static void require(String stage, boolean allowed) throws Refused {
        if (!allowed) {
            throw new Refused(stage);
        }
    }

    private static boolean within(long part, long whole) {
        return (part & ~whole) == 0;
    }
}
