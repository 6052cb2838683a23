// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.Arguments;
import org.umh4j.internal.Bytes;
import org.umh4j.internal.Host;
import org.umh4j.internal.OpenedFiles;
import org.umh4j.internal.PidfdSource;
import org.umh4j.internal.Plan;
import org.umh4j.internal.StageFailure;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.UmhStage;

/**
 * Which namespaces a helper is in: {@code struct nsproxy}, as a value. Immutable; each method answers a changed copy.
 *
 * <p>{@link #defaults()} is the default: the JVM's. Those of others are entered first, then new ones are made. All but
 * a user namespace need {@code CAP_SYS_ADMIN}, which a new user namespace gives inside it: a JVM without privilege adds
 * {@link #mapRoot()}.
 *
 * <p>A helper in a new pid namespace is its pid 1: signals that it has no handler for do not reach it, but for KILL and
 * STOP from outside; it inherits orphans and should wait for them, and when it ends everything in the namespace is killed.
 * Its {@code /proc} is still the old one unless it mounts another in a new mount namespace.
 *
 * @implSpec {@code unshare(2)}, {@code setns(2)}, {@code user_namespaces(7)}, Linux 6.12
 */
public final class NamespaceSetup {
    private static final int MOST_MAP_LINES = 340;
    private static final NamespaceSetup DEFAULTS = new NamespaceSetup();

    /** Opens the pidfd or namespace file to be passed to {@code setns(2)}; a negative errno. */
    private interface Door {
        int open(OpenedFiles opened);
    }

    /** A pidfd or namespace file, the kinds to be joined, and the path if there is one. */
    private record Join(
            Door door, Set<Namespace> kinds, @Nullable String path) {
        Join(Door door, Set<Namespace> kinds) {
            this(door, kinds, null);
        }
    }

    private Set<Namespace> fresh = Collections.emptySet();
    private List<Join> joins = List.of();
    private boolean mapSelf;
    private String uidMap = "";
    private String gidMap = "";
    private boolean denySetgroups;

    private NamespaceSetup() {}

    private NamespaceSetup(NamespaceSetup other) {
        fresh = other.fresh;
        joins = other.joins;
        mapSelf = other.mapSelf;
        uidMap = other.uidMap;
        gidMap = other.gidMap;
        denySetgroups = other.denySetgroups;
    }

    /** The JVM's. */
    public static NamespaceSetup defaults() {
        return DEFAULTS;
    }

    /** New ones of these kinds. A new user namespace needs a map too. */
    public NamespaceSetup unshare(Namespace... kinds) {
        NamespaceSetup copy = new NamespaceSetup(this);
        copy.fresh = fresh.isEmpty() ? EnumSet.noneOf(Namespace.class) : EnumSet.copyOf(fresh);
        copy.fresh.addAll(List.of(Arguments.nonNull(kinds, "kinds")));
        return copy;
    }

    /**
     * Those of a process; all kinds but its user namespace, when none is named. The one for time is left out where this kernel
     * has none, or {@code /proc} does not tell.
     *
     * <p>This call identifies the process that has the pid now, by the start time in {@code /proc}. If that process has
     * ended when the helper is started, the start fails at {@link UmhStage#JOIN} with {@code ESRCH}; without permission
     * it fails with {@code EPERM}. A pid may have been reused before this call: {@link org.umh4j.Helper#namespaces} and
     * {@link #joinDescriptor} do not depend on a pid.
     *
     * @throws IllegalArgumentException if the pid is not positive
     */
    public NamespaceSetup join(long pid, Namespace... kinds) {
        Arguments.nonNull(kinds, "kinds");
        if (pid < 1 || pid > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("pid " + pid + " is not positive");
        }
        return ProcessHandle.of(pid)
                .map(process -> join(process, kinds))
                .orElseGet(() -> join(new Join(opened -> -Errno.ESRCH.number(), some(kinds))));
    }

    /**
     * The same for the process of this handle. Its start time distinguishes it from a later process with the same pid.
     */
    public NamespaceSetup join(ProcessHandle process, Namespace... kinds) {
        Objects.requireNonNull(process, "process");
        if (process instanceof PidfdSource source) {
            return join(new Join(source::openPidfd, some(kinds)));
        }
        int pid = Math.toIntExact(process.pid());
        return join(new Join(
                opened -> {
                    int fd = opened.openPid(pid);
                    return fd < 0 || process.isAlive()
                            ? fd
                            : -Errno.ESRCH.number(); // alive, so the pidfd is this process's
                },
                some(kinds)));
    }

    /**
     * The same for an open descriptor, which stays the caller's. It is a pidfd, or a file of {@code /proc/PID/ns}
     * together with its kind.
     *
     * @throws IllegalArgumentException if the descriptor is negative
     */
    public NamespaceSetup joinDescriptor(int fd, Namespace... kinds) {
        if (fd < 0) {
            throw new IllegalArgumentException("descriptor " + fd + " is negative");
        }
        return join(new Join(opened -> fd, some(kinds)));
    }

    private static Set<Namespace> some(Namespace... kinds) {
        return Arguments.nonNull(kinds, "kinds").length == 0 ? allButUser() : EnumSet.copyOf(List.of(kinds));
    }

    private static Set<Namespace> allButUser() {
        Set<Namespace> kinds = EnumSet.complementOf(EnumSet.of(Namespace.USER));
        kinds.removeIf(kind -> kind == Namespace.TIME && !kind.isSupported());
        return kinds;
    }

    /** The one that this file stands for, such as {@code /run/netns/blue}. */
    public NamespaceSetup joinFile(Namespace kind, String path) {
        Objects.requireNonNull(kind, "kind");
        byte[] file = Bytes.of(Objects.requireNonNull(path, "path"), "namespace");
        return join(new Join(opened -> opened.open(file, 0, 0), EnumSet.of(kind), path));
    }

    private NamespaceSetup join(Join join) {
        NamespaceSetup copy = new NamespaceSetup(this);
        copy.joins = new ArrayList<>(joins);
        copy.joins.add(join);
        return copy;
    }

    /** A new user namespace in which the JVM's user is root and nobody else exists: needs no privilege. */
    public NamespaceSetup mapRoot() {
        return mapSelf(0, 0);
    }

    /** A new user namespace in which the JVM's user and group are these and nobody else exists: needs no privilege. */
    public NamespaceSetup mapSelf(long uid, long gid) {
        requireIds(uid, gid);
        NamespaceSetup copy = unshare(Namespace.USER);
        copy.mapSelf = true;
        copy.uidMap = uid + " SELF 1\n";
        copy.gidMap = gid + " SELF 1\n";
        copy.denySetgroups = true;
        return copy;
    }

    /** A new user namespace with a range of uids: needs {@code CAP_SETUID}, as every range but oneself does. */
    public NamespaceSetup mapUids(long inside, long outside, long count) {
        NamespaceSetup copy = unshare(Namespace.USER);
        copy.uidMap = line(mapSelf ? "" : uidMap, inside, outside, count);
        copy.mapSelf = false;
        return copy;
    }

    /** A new user namespace with a range of gids: needs {@code CAP_SETGID}. */
    public NamespaceSetup mapGids(long inside, long outside, long count) {
        NamespaceSetup copy = unshare(Namespace.USER);
        copy.gidMap = line(mapSelf ? "" : gidMap, inside, outside, count);
        copy.mapSelf = false;
        copy.denySetgroups = false;
        return copy;
    }

    private static String line(String map, long inside, long outside, long count) {
        requireIds(inside, outside, count);
        if (count == 0 || map.lines().count() >= MOST_MAP_LINES) {
            throw new IllegalArgumentException("a map has 1 to " + MOST_MAP_LINES + " ranges of at least one id");
        }
        requireIds(inside + count - 1, outside + count - 1);
        String line = inside + " " + outside + " " + count;
        if (map.lines().anyMatch(other -> overlap(line.split(" "), other.split(" ")))) {
            throw new IllegalArgumentException("range " + line + " overlaps another one of the map");
        }
        return map + line + "\n";
    }

    private static void requireIds(long... ids) {
        for (long id : ids) {
            if (id < 0 || id > Cred.MAX_ID) {
                throw new IllegalArgumentException("id " + id + " is not in 0 to " + Cred.MAX_ID);
            }
        }
    }

    /** Whether two ranges have an id in common, inside or outside. */
    private static boolean overlap(String[] range, String[] other) {
        long count = Long.parseLong(range[2]);
        long otherCount = Long.parseLong(other[2]);
        for (int side = 0; side < 2; side++) {
            long first = Long.parseLong(range[side]);
            long otherFirst = Long.parseLong(other[side]);
            if (first < otherFirst + otherCount && otherFirst < first + count) {
                return true;
            }
        }
        return false;
    }

    boolean isNewUser() {
        return fresh.contains(Namespace.USER);
    }

    /** Whether the new user namespace maps only the JVM's own ids. */
    boolean isMappedToItself() {
        return mapSelf;
    }

    /** Whether ids are those of another user namespace than the JVM's. */
    boolean isOtherUser() {
        return isNewUser() || isJoinedUser();
    }

    /** Whether an existing user namespace is joined; its maps are not known. */
    boolean isJoinedUser() {
        return isJoined(Namespace.USER);
    }

    boolean isJoined(Namespace kind) {
        return joins.stream().anyMatch(join -> join.kinds.contains(kind));
    }

    /**
     * Requires that the new user namespace maps each id of the JVM's that the helper keeps.
     *
     * @throws IllegalArgumentException if it does not: in the helper that id would read as 65534
     */
    void requireMapped(Cred cred) {
        if (isNewUser() && !mapSelf && !isJoinedUser()) {
            requireMapped(uidMap, "uid", Host.uid(), cred.uids().isPresent());
            requireMapped(gidMap, "gid", Host.gid(), cred.gids().isPresent());
        }
    }

    private static void requireMapped(String map, String what, long own, boolean isAsked) {
        boolean mapped = map.lines().map(line -> line.split(" ")).anyMatch(range -> {
            long outside = Long.parseLong(range[1]);
            return own >= outside && own - outside < Long.parseLong(range[2]);
        });
        if (!mapped && !isAsked) {
            throw new IllegalArgumentException("the map of " + what + "s has not the JVM's, " + own
                    + ", which the helper would keep unmapped; choose a mapped " + what + " by " + what + "(...)");
        }
    }

    boolean deniesSetgroups() {
        return denySetgroups;
    }

    /** Refuses a new user namespace in which nobody exists. */
    void requirePossible() {
        if (isNewUser() && (uidMap.isEmpty() || gidMap.isEmpty())) {
            throw new IllegalArgumentException(
                    "a new user namespace needs maps of uids and gids; mapRoot() is the simplest");
        }
    }

    void writeTo(Plan plan, OpenedFiles opened) throws StageFailure {
        for (Join join : joins) {
            int fd = join.door.open(opened);
            if (fd < 0) {
                throw new StageFailure(UmhStage.JOIN, fd, 0, join.path);
            }
            plan.join(fd, flags(join.kinds));
            plan.require(UmhStage.JOIN);
        }
        if (!fresh.isEmpty()) {
            plan.require(UmhStage.UNSHARE);
            plan.unshare = flags(fresh);
        }
        if (isNewUser()) {
            maps(plan);
        }
        if (takesEffectInChildren()) {
            plan.require(UmhStage.PID_NAMESPACE);
        }
    }

    private void maps(Plan plan) {
        plan.require(UmhStage.ID_MAP);
        plan.flags |= mapSelf ? Plan.SELF_MAP : 0;
        plan.uidMap = uidMap.replace("SELF", self("uid")).getBytes(StandardCharsets.US_ASCII);
        plan.gidMap = gidMap.replace("SELF", self("gid")).getBytes(StandardCharsets.US_ASCII);
        plan.setgroups = denySetgroups ? "deny".getBytes(StandardCharsets.US_ASCII) : null;
    }

    private static String self(String id) {
        return Long.toString(id.equals("uid") ? Host.uid() : Host.gid());
    }

    private boolean takesEffectInChildren() {
        boolean any = takesEffectInChildren(fresh);
        for (Join join : joins) {
            any |= takesEffectInChildren(join.kinds);
        }
        return any;
    }

    private static boolean takesEffectInChildren(Set<Namespace> kinds) {
        return kinds.contains(Namespace.PID) || kinds.contains(Namespace.TIME);
    }

    private static int flags(Set<Namespace> kinds) {
        int flags = 0;
        for (Namespace kind : kinds) {
            flags |= kind.cloneFlag();
        }
        return flags;
    }
}
