// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
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
 * The namespaces of a helper: existing ones that it joins, and new ones. Immutable; each method returns a changed copy.
 *
 * <p>{@link #defaults()} is the JVM's namespaces. The launcher first joins the existing namespaces in the order of the
 * join methods, then creates the new ones. Both need {@code CAP_SYS_ADMIN}, except for a new user namespace, which
 * gives that capability inside it. A JVM without privilege therefore adds {@link #mapRoot()}.
 *
 * <p>A helper in a new pid namespace is pid 1 of it:
 *
 * <ul>
 *   <li>A signal without a handler does not reach it, except KILL and STOP from outside the namespace.
 *   <li>It becomes the parent of orphans in the namespace, and should wait for them.
 *   <li>The kernel kills all processes of the namespace when it ends.
 *   <li>Its {@code /proc} shows the JVM's pid namespace, unless it mounts another one in a new mount namespace.
 * </ul>
 *
 * <p>Stages: {@link UmhStage#JOIN} with {@code EPERM} or {@code ESRCH}; {@link UmhStage#UNSHARE} with {@code EPERM}, or
 * {@code ENOSPC} if {@code /proc/sys/user/max_*_namespaces} is reached; {@link UmhStage#ID_MAP} with {@code EPERM};
 * {@link UmhStage#PID_NAMESPACE} with the errors of {@code clone3(2)}.
 *
 * @implSpec {@code unshare(2)}, {@code setns(2)}, {@code user_namespaces(7)}, Linux 6.12
 */
public final class NamespaceSetup {
    private static final int MAX_MAP_RANGES = 340;
    private static final NamespaceSetup DEFAULTS = new NamespaceSetup();

    /** Opens the descriptor for {@code setns(2)}: a pidfd or a namespace file. Returns it, or a negative errno. */
    private interface Opener {
        int open(OpenedFiles opened);
    }

    /** One call of {@code setns(2)}: its descriptor, the kinds of namespaces, and the path of a namespace file. */
    private record Join(
            Opener opener, Set<Namespace> kinds, @Nullable String path) {
        Join(Opener opener, Set<Namespace> kinds) {
            this(opener, kinds, null);
        }
    }

    private Set<Namespace> unshared = Collections.emptySet();
    private List<Join> joins = List.of();
    private boolean mapSelf;
    private String uidMap = "";
    private String gidMap = "";
    private boolean denySetgroups;

    private NamespaceSetup() {}

    private NamespaceSetup(NamespaceSetup other) {
        unshared = other.unshared;
        joins = other.joins;
        mapSelf = other.mapSelf;
        uidMap = other.uidMap;
        gidMap = other.gidMap;
        denySetgroups = other.denySetgroups;
    }

    /** Returns the JVM's namespaces. */
    public static NamespaceSetup defaults() {
        return DEFAULTS;
    }

    /**
     * Creates new namespaces of these kinds, {@code unshare(2)}, in addition to those of earlier calls. A new user
     * namespace needs an id map too.
     */
    public NamespaceSetup unshare(Namespace... kinds) {
        NamespaceSetup copy = new NamespaceSetup(this);
        copy.unshared = unshared.isEmpty() ? EnumSet.noneOf(Namespace.class) : EnumSet.copyOf(unshared);
        copy.unshared.addAll(List.of(Arguments.nonNull(kinds, "kinds")));
        return copy;
    }

    /**
     * Joins namespaces of a process, {@code setns(2)}. Without kinds: all kinds except the user namespace. The time
     * namespace is left out if the kernel does not have it, or {@code /proc} is not mounted.
     *
     * <p>This call identifies the process that has the pid now, by the start time in {@code /proc}. If that process has
     * ended when the helper is started, the start fails at {@link UmhStage#JOIN} with {@code ESRCH}. Without permission
     * it fails with {@code EPERM}.
     *
     * @apiNote The pid may have been reused before this call. {@link org.umh4j.Helper#namespaces} and
     *     {@link #joinDescriptor} do not depend on a pid.
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
                .orElseGet(() -> join(new Join(opened -> -Errno.ESRCH.number(), kindsOrDefault(kinds))));
    }

    /**
     * Joins namespaces of the process of this handle. See {@link #join(long, Namespace...)}. The handle's start time
     * distinguishes the process from a later one with the same pid.
     */
    public NamespaceSetup join(ProcessHandle process, Namespace... kinds) {
        Objects.requireNonNull(process, "process");
        if (process instanceof PidfdSource source) {
            return join(new Join(source::openPidfd, kindsOrDefault(kinds)));
        }
        int pid = Math.toIntExact(process.pid());
        return join(new Join(
                opened -> {
                    int fd = opened.openPid(pid);
                    return fd < 0 || process.isAlive()
                            ? fd
                            : -Errno.ESRCH.number(); // a live process has not lost its pid to another one
                },
                kindsOrDefault(kinds)));
    }

    /**
     * Joins namespaces by an open descriptor, which the caller closes: a pidfd, or a file of {@code /proc/PID/ns} with
     * its one kind. See {@link #join(long, Namespace...)}.
     *
     * @throws IllegalArgumentException if the descriptor is negative
     */
    public NamespaceSetup joinDescriptor(int fd, Namespace... kinds) {
        if (fd < 0) {
            throw new IllegalArgumentException("descriptor " + fd + " is negative");
        }
        return join(new Join(opened -> fd, kindsOrDefault(kinds)));
    }

    private static Set<Namespace> kindsOrDefault(Namespace... kinds) {
        return Arguments.nonNull(kinds, "kinds").length == 0 ? allButUser() : EnumSet.copyOf(List.of(kinds));
    }

    private static Set<Namespace> allButUser() {
        Set<Namespace> kinds = EnumSet.complementOf(EnumSet.of(Namespace.USER));
        kinds.removeIf(kind -> kind == Namespace.TIME && !kind.isSupported());
        return kinds;
    }

    /**
     * Joins the namespace of a file, such as {@code /run/netns/blue}, which {@code ip netns add} creates.
     *
     * <p>The JVM opens the file at the start. Stage {@link UmhStage#JOIN}: the errno of {@code open(2)}, or
     * {@code EINVAL} for a file that is not a namespace of this kind.
     */
    public NamespaceSetup joinFile(Namespace kind, Path path) {
        return joinFile(kind, Bytes.of(path, "path"));
    }

    /** Joins the namespace of a file. See {@link #joinFile(Namespace, Path)}. */
    public NamespaceSetup joinFile(Namespace kind, String path) {
        return joinFile(kind, Bytes.of(path, "path"));
    }

    /** Joins the namespace of a file by bytes in any encoding. See {@link #joinFile(Namespace, Path)}. */
    public NamespaceSetup joinFile(Namespace kind, byte[] path) {
        Objects.requireNonNull(kind, "kind");
        byte[] file = Bytes.of(path, "path");
        return join(new Join(opened -> opened.open(file, 0, 0), EnumSet.of(kind), Bytes.toString(file)));
    }

    private NamespaceSetup join(Join join) {
        NamespaceSetup copy = new NamespaceSetup(this);
        copy.joins = new ArrayList<>(joins);
        copy.joins.add(join);
        return copy;
    }

    /** Creates a user namespace that maps only the JVM's uid and gid, to 0. Needs no privilege. */
    public NamespaceSetup mapRoot() {
        return mapSelf(0, 0);
    }

    /**
     * Creates a user namespace that maps only the JVM's uid and gid, to these ids. Needs no privilege.
     *
     * <p>The kernel allows such a map of gids only together with {@code deny} in {@code /proc/self/setgroups}, so
     * {@link Cred#groups(long...)} is refused.
     */
    public NamespaceSetup mapSelf(long uid, long gid) {
        requireIds(uid, gid);
        NamespaceSetup copy = unshare(Namespace.USER);
        copy.mapSelf = true;
        copy.uidMap = uid + " SELF 1\n";
        copy.gidMap = gid + " SELF 1\n";
        copy.denySetgroups = true;
        return copy;
    }

    /**
     * Creates a user namespace, and adds a range to its uid map. Needs {@code CAP_SETUID}. A map has at most 340
     * ranges.
     *
     * @param inside the first uid in the new namespace
     * @param outside the first uid in the JVM's namespace
     * @param count the number of uids, at least 1
     * @throws IllegalArgumentException if the range overlaps another one, or an id is above {@link Cred#MAX_ID}
     */
    public NamespaceSetup mapUids(long inside, long outside, long count) {
        NamespaceSetup copy = unshare(Namespace.USER);
        copy.uidMap = addRange(mapSelf ? "" : uidMap, inside, outside, count);
        copy.mapSelf = false;
        return copy;
    }

    /** Creates a user namespace, and adds a range to its gid map. Needs {@code CAP_SETGID}. See {@link #mapUids}. */
    public NamespaceSetup mapGids(long inside, long outside, long count) {
        NamespaceSetup copy = unshare(Namespace.USER);
        copy.gidMap = addRange(mapSelf ? "" : gidMap, inside, outside, count);
        copy.mapSelf = false;
        copy.denySetgroups = false;
        return copy;
    }

    private static String addRange(String map, long inside, long outside, long count) {
        requireIds(inside, outside, count);
        if (count == 0 || map.lines().count() >= MAX_MAP_RANGES) {
            throw new IllegalArgumentException("a map has 1 to " + MAX_MAP_RANGES + " ranges of at least one id");
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

    /** Returns whether two ranges have an inner or an outer id in common. */
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
        return unshared.contains(Namespace.USER);
    }

    /** Returns whether the new user namespace maps only the JVM's own ids. */
    boolean isMapSelf() {
        return mapSelf;
    }

    /** Returns whether ids belong to another user namespace than the JVM's. */
    boolean isOtherUser() {
        return isNewUser() || isJoinedUser();
    }

    /** Returns whether an existing user namespace is joined. Its maps are not known. */
    boolean isJoinedUser() {
        return isJoined(Namespace.USER);
    }

    boolean isJoined(Namespace kind) {
        return joins.stream().anyMatch(join -> join.kinds.contains(kind));
    }

    /**
     * Requires that the new user namespace maps each id that the helper keeps from the JVM.
     *
     * @throws IllegalArgumentException if an id is not mapped: it would read as 65534 in the helper
     */
    void requireMapped(boolean isUidSet, boolean isGidSet) {
        if (isNewUser() && !mapSelf && !isJoinedUser()) {
            requireMapped(uidMap, "uid", Host.uid(), isUidSet);
            requireMapped(gidMap, "gid", Host.gid(), isGidSet);
        }
    }

    private static void requireMapped(String map, String kind, long id, boolean isSet) {
        boolean mapped = map.lines().map(line -> line.split(" ")).anyMatch(range -> {
            long outside = Long.parseLong(range[1]);
            return id >= outside && id - outside < Long.parseLong(range[2]);
        });
        if (!mapped && !isSet) {
            throw new IllegalArgumentException("the map of " + kind + "s lacks the JVM's " + kind + " " + id
                    + ", which the helper would keep; set a mapped one by " + kind + "(...)");
        }
    }

    boolean deniesSetgroups() {
        return denySetgroups;
    }

    /** Refuses a new user namespace without an id map. */
    void requirePossible() {
        if (isNewUser() && (uidMap.isEmpty() || gidMap.isEmpty())) {
            throw new IllegalArgumentException(
                    "a new user namespace needs maps of uids and gids; mapRoot() is the simplest");
        }
    }

    void writeTo(Plan plan, OpenedFiles opened) throws StageFailure {
        for (Join join : joins) {
            int fd = join.opener.open(opened);
            if (fd < 0) {
                throw new StageFailure(UmhStage.JOIN, fd, 0, join.path);
            }
            plan.join(fd, flags(join.kinds));
            plan.require(UmhStage.JOIN);
        }
        if (!unshared.isEmpty()) {
            plan.require(UmhStage.UNSHARE);
            plan.unshare = flags(unshared);
        }
        if (isNewUser()) {
            writeMaps(plan);
        }
        if (takesEffectInChildren()) {
            plan.require(UmhStage.PID_NAMESPACE);
        }
    }

    private void writeMaps(Plan plan) {
        plan.require(UmhStage.ID_MAP);
        plan.flags |= mapSelf ? Plan.MAP_SELF : 0;
        plan.uidMap = uidMap.replace("SELF", Long.toString(Host.uid())).getBytes(StandardCharsets.US_ASCII);
        plan.gidMap = gidMap.replace("SELF", Long.toString(Host.gid())).getBytes(StandardCharsets.US_ASCII);
        plan.setgroups = denySetgroups ? "deny".getBytes(StandardCharsets.US_ASCII) : null;
    }

    /**
     * Returns whether a namespace is one that the caller of unshare(2) or setns(2) does not enter, only its children.
     */
    private boolean takesEffectInChildren() {
        boolean any = takesEffectInChildren(unshared);
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
