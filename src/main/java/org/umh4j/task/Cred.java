// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.Arguments;
import org.umh4j.internal.Bytes;
import org.umh4j.internal.Host;
import org.umh4j.internal.Plan;
import org.umh4j.internal.UserLookup;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Securebit;
import org.umh4j.linux.UmhStage;

/**
 * The identity of a helper: ids, groups, capabilities, securebits, no_new_privs, keyring and security label. Immutable;
 * each method returns a changed copy.
 *
 * <pre>{@code
 * Cred nobody = Cred.defaults().user("nobody").capabilities(CapabilitySet.of(CAP_NET_BIND_SERVICE)).noNewPrivs();
 * }</pre>
 *
 * <p>{@link #defaults()} has the JVM's ids and groups, the JVM's bounding set, empty inheritable and ambient sets,
 * securebits 0, and a new session keyring without a name. The policy of {@link org.umh4j.UmhSysctl} is applied to every
 * helper: it restricts the bounding, inheritable and ambient sets. With these defaults {@code execve(2)} gives a helper
 * of uid 0 the bounding set, and a helper of another uid no capability. Another uid also changes gid and groups; see
 * {@link #uid}.
 *
 * <p>The sets of {@link #permitted} and {@link #effective} are not those of the program. They are the sets of the
 * process right before {@code execve(2)}. The ambient set must be a subset of the permitted set; with no_new_privs the
 * program gains no capability that the permitted set lacks; the effective set decides whether the process may execute
 * the file. {@code execve(2)} computes the program's sets by the rules of {@code capabilities(7)}: uid 0 gets the
 * bounding set, another uid gets the ambient set, unless securebits or capabilities of the file change that. To give a
 * program capabilities, use {@link #capabilities}: it sets all five sets, so that the program has exactly these
 * capabilities with any uid.
 *
 * <p>Ids are 0 to {@value #MAX_ID}. A refused step fails the start with its stage: {@link UmhStage#GROUPS},
 * {@link UmhStage#GID} or {@link UmhStage#UID} with {@code EPERM} without {@code CAP_SETGID} or {@code CAP_SETUID};
 * {@link UmhStage#BOUNDING} with {@code EPERM} without {@code CAP_SETPCAP}; {@link UmhStage#CAPABILITIES},
 * {@link UmhStage#AMBIENT} or {@link UmhStage#EFFECTIVE} with {@code EPERM} for a capability that the JVM lacks.
 *
 * @apiNote If the helper gets a new user namespace, all ids are ids of that namespace.
 * @implSpec {@code struct cred} of {@code include/linux/cred.h}, Linux 6.12
 */
public final class Cred {
    /** The largest uid or gid. The number above it, -1, means "unchanged" in system calls. */
    public static final long MAX_ID = 0xffff_fffeL;

    /** The largest number of supplementary groups, {@code NGROUPS_MAX}. */
    public static final int MAX_GROUPS = 65_536;

    private enum Keyring {
        NEW,
        NAMED,
        INHERITED
    }

    private static final Cred DEFAULTS = new Cred();

    private int @Nullable [] uids;
    private int @Nullable [] gids;
    private int @Nullable [] groups;
    private boolean keepsGid;
    private boolean keepsGroups;
    private CapabilitySet bounding = new CapabilitySet(-1);
    private CapabilitySet inheritable = CapabilitySet.NONE;
    private @Nullable CapabilitySet permitted;
    private @Nullable CapabilitySet effective;
    private CapabilitySet ambient = CapabilitySet.NONE;
    private @Nullable Integer securebits;
    private boolean noNewPrivs;
    private Keyring keyring = Keyring.NEW;
    private byte @Nullable [] keyringName;
    private byte @Nullable [] execLabel;

    private Cred() {}

    private Cred(Cred other) {
        uids = other.uids;
        gids = other.gids;
        groups = other.groups;
        keepsGid = other.keepsGid;
        keepsGroups = other.keepsGroups;
        bounding = other.bounding;
        inheritable = other.inheritable;
        permitted = other.permitted;
        effective = other.effective;
        ambient = other.ambient;
        securebits = other.securebits;
        noNewPrivs = other.noNewPrivs;
        keyring = other.keyring;
        keyringName = other.keyringName;
        execLabel = other.execLabel;
    }

    /**
     * Returns the JVM's ids and groups, no capability beyond those that {@code execve(2)} computes for these ids, and a
     * new session keyring.
     */
    public static Cred defaults() {
        return DEFAULTS;
    }

    /**
     * Sets real, effective and saved uid, {@code setresuid(2)}.
     *
     * <p>A helper whose uid is not the JVM's loses the JVM's supplementary groups, unless {@link #groups} or
     * {@link #keepGroups} is called. If the JVM's gid is 0, such a helper also needs {@link #gid} or {@link #keepGid};
     * without either, the start throws an {@link IllegalArgumentException}. {@link #user} sets uid, gid and groups.
     */
    public Cred uid(long uid) {
        return uids(uid, uid, uid);
    }

    /**
     * Sets the three uids separately, {@code setresuid(2)}.
     *
     * <p>The {@code execve(2)} of the helper then copies the effective uid to the saved uid.
     */
    public Cred uids(long real, long effectiveUid, long saved) {
        Cred copy = new Cred(this);
        copy.uids = new int[] {id(real, "uid"), id(effectiveUid, "uid"), id(saved, "uid")};
        return copy;
    }

    /** Sets real, effective and saved gid, {@code setresgid(2)}. */
    public Cred gid(long gid) {
        return gids(gid, gid, gid);
    }

    /** Sets the three gids separately, {@code setresgid(2)}. See {@link #uids(long, long, long)}. */
    public Cred gids(long real, long effectiveGid, long saved) {
        Cred copy = new Cred(this);
        copy.gids = new int[] {id(real, "gid"), id(effectiveGid, "gid"), id(saved, "gid")};
        copy.keepsGid = false;
        return copy;
    }

    /** Passes on the JVM's gid, even for another uid and if the gid is 0. */
    public Cred keepGid() {
        Cred copy = new Cred(this);
        copy.gids = null;
        copy.keepsGid = true;
        return copy;
    }

    /**
     * Sets the supplementary groups, {@code setgroups(2)}. {@code groups(new long[0])} removes all groups;
     * {@link #groups()} without arguments is the getter.
     *
     * @throws IllegalArgumentException for more than {@value #MAX_GROUPS} groups
     */
    public Cred groups(long... supplementary) {
        if (Objects.requireNonNull(supplementary, "supplementary").length > MAX_GROUPS) {
            throw new IllegalArgumentException(supplementary.length + " groups are more than " + MAX_GROUPS);
        }
        Cred copy = new Cred(this);
        copy.keepsGroups = false;
        copy.groups = new int[supplementary.length];
        for (int i = 0; i < supplementary.length; i++) {
            copy.groups[i] = id(supplementary[i], "group");
        }
        return copy;
    }

    /** Passes on the JVM's supplementary groups, even for another uid. */
    public Cred keepGroups() {
        Cred copy = new Cred(this);
        copy.groups = null;
        copy.keepsGroups = true;
        return copy;
    }

    /**
     * Sets uid, gid and supplementary groups of a user. Calls {@link #user(String, Duration)} with a bound of five
     * seconds.
     */
    public Cred user(String name) {
        return user(name, UserLookup.BOUND);
    }

    /**
     * Sets uid, gid and supplementary groups of a user, as {@code login(1)} does.
     *
     * <p>The name is looked up once, in this call; the copy holds numbers, so a start looks up nothing.
     * {@code /etc/passwd} and {@code /etc/group} are read first. A name that is not in them is looked up by
     * {@code getent(1)} and {@code id(1)}. These also query the host's other sources (LDAP, sssd, systemd). They run as
     * helpers, so no code of those sources is loaded into the JVM. {@code id} also looks up a local user's groups if
     * {@code /etc/nsswitch.conf} names other sources of groups.
     *
     * @param name a name, never a number: {@code "0"} is not root
     * @param timeout the longest wait for the host's other sources
     * @throws IllegalArgumentException if no source has the user
     * @throws java.io.UncheckedIOException if the other sources could not be queried within the timeout
     */
    public Cred user(String name, Duration timeout) {
        UserLookup.User user = UserLookup.get().user(name, timeout);
        return uid(user.uid()).gid(user.gid()).groups(user.groups());
    }

    /** Sets the gid of a group. Calls {@link #group(String, Duration)} with a bound of five seconds. */
    public Cred group(String name) {
        return group(name, UserLookup.BOUND);
    }

    /**
     * Sets the gid of a group, which is looked up in the same sources as in {@link #user(String, Duration)}.
     *
     * @throws IllegalArgumentException if no source has the group
     * @throws java.io.UncheckedIOException if the other sources could not be queried within the timeout
     */
    public Cred group(String name, Duration timeout) {
        return gid(UserLookup.get().group(name, timeout));
    }

    /**
     * Drops all other capabilities from the bounding set, {@code PR_CAPBSET_DROP}. A capability that the JVM's set
     * lacks can't be added.
     */
    public Cred bounding(CapabilitySet set) {
        Cred copy = new Cred(this);
        copy.bounding = Objects.requireNonNull(set, "bounding");
        return copy;
    }

    /** Sets the inheritable set. The default is the empty set. */
    public Cred inheritable(CapabilitySet set) {
        Cred copy = new Cred(this);
        copy.inheritable = requireKnown(set, "inheritable");
        return copy;
    }

    /**
     * Sets the permitted set right before {@code execve(2)}, which computes the program's set. A change of uid does not
     * clear it. Use {@link #capabilities} to give the program capabilities.
     */
    public Cred permitted(CapabilitySet set) {
        Cred copy = new Cred(this);
        copy.permitted = requireKnown(set, "permitted");
        return copy;
    }

    /**
     * Sets the effective set right before {@code execve(2)}, which computes the program's set. The default is the
     * permitted set, if that is set.
     */
    public Cred effective(CapabilitySet set) {
        Cred copy = new Cred(this);
        copy.effective = requireKnown(set, "effective");
        return copy;
    }

    /**
     * Sets the ambient set, {@code PR_CAP_AMBIENT_RAISE}: the capabilities of a program without file capabilities that
     * runs with another uid than 0. The default is the empty set.
     *
     * <p>It must be a subset of the inheritable and the permitted set. {@link Task#cred} checks that.
     */
    public Cred ambient(CapabilitySet set) {
        Cred copy = new Cred(this);
        copy.ambient = requireKnown(set, "ambient");
        return copy;
    }

    /** Sets all five sets to these capabilities, so that the program has exactly them with any uid. */
    public Cred capabilities(CapabilitySet set) {
        Objects.requireNonNull(set, "set");
        return bounding(set).permitted(set).effective(set).inheritable(set).ambient(set);
    }

    /**
     * Sets the securebits, {@code PR_SET_SECUREBITS}, and replaces those of earlier calls. The default is none. Needs
     * {@code CAP_SETPCAP}.
     */
    public Cred securebits(Securebit... bits) {
        Cred copy = new Cred(this);
        copy.securebits = 0;
        for (Securebit bit : Arguments.nonNull(bits, "bits")) {
            copy.securebits |= bit.bit();
        }
        return copy;
    }

    /**
     * Sets no_new_privs, {@code PR_SET_NO_NEW_PRIVS}: set-user-ID bits and file capabilities add no privilege to the
     * helper or its children.
     */
    public Cred noNewPrivs() {
        Cred copy = new Cred(this);
        copy.noNewPrivs = true;
        return copy;
    }

    /**
     * Sets the name of the session keyring, {@code KEYCTL_JOIN_SESSION_KEYRING}. If a keyring of this name exists that
     * the helper may search, the helper joins it; otherwise the kernel creates one. Helpers with the same name can
     * therefore share keys.
     */
    public Cred newKeyring(String name) {
        Cred copy = new Cred(this);
        copy.keyring = Keyring.NAMED;
        copy.keyringName = Bytes.of(Objects.requireNonNull(name, "name"), "keyring");
        return copy;
    }

    /** Passes on the JVM's session keyring, so that the helper can use the JVM's keys. */
    public Cred inheritKeyring() {
        Cred copy = new Cred(this);
        copy.keyring = Keyring.INHERITED;
        return copy;
    }

    /**
     * Sets the label of the security module for the program, as a write to {@code /proc/thread-self/attr/exec}. For
     * SELinux it is a context, for AppArmor {@code exec} and the name of a profile.
     */
    public Cred execLabel(String label) {
        Cred copy = new Cred(this);
        copy.execLabel = Bytes.of(label, "execLabel");
        return copy;
    }

    /** Returns the capabilities that stay in the bounding set. */
    public CapabilitySet bounding() {
        return bounding;
    }

    /** Returns the inheritable set. */
    public CapabilitySet inheritable() {
        return inheritable;
    }

    /** Returns the permitted set, if it is set. */
    public Optional<CapabilitySet> permitted() {
        return Optional.ofNullable(permitted);
    }

    /** Returns the effective set, if it is set. */
    public Optional<CapabilitySet> effective() {
        return Optional.ofNullable(effective);
    }

    /** Returns the ambient set. */
    public CapabilitySet ambient() {
        return ambient;
    }

    /** Returns real, effective and saved uid, if they are set. */
    public Optional<long[]> uids() {
        return ids(uids);
    }

    /** Returns real, effective and saved gid, if they are set. */
    public Optional<long[]> gids() {
        return ids(gids);
    }

    /**
     * Returns the supplementary groups, if they are set. The result is empty even if another uid drops the JVM's
     * groups.
     */
    public Optional<long[]> groups() {
        return ids(groups);
    }

    /** Returns whether {@link #noNewPrivs()} was called. */
    public boolean isNoNewPrivs() {
        return noNewPrivs;
    }

    boolean changesGroups() {
        return groups != null;
    }

    /**
     * Returns a copy that drops the JVM's groups if the uid is not the JVM's.
     *
     * @throws IllegalArgumentException if another uid would keep the JVM's gid 0 without {@link #keepGid}
     */
    Cred withoutForeignGroups(NamespaceSetup namespaces) {
        if (uids == null || namespaces.isMapSelf() || !namespaces.isOtherUser() && isJvmUid(uids)) {
            return this;
        }
        if (gids == null && !keepsGid && Host.gid() == 0) {
            throw new IllegalArgumentException("uid " + Integer.toUnsignedString(uids[1])
                    + " without a gid would leave the helper gid 0; call gid(...), or keepGid() to keep gid 0");
        }
        return groups == null && !keepsGroups ? groups(new long[0]) : this;
    }

    private static boolean isJvmUid(int[] ids) {
        long jvmUid = Host.uid();
        for (int id : ids) {
            if (Integer.toUnsignedLong(id) != jvmUid) {
                return false;
            }
        }
        return true;
    }

    /**
     * Applies a policy: intersects the bounding set with {@code bset}, the inheritable set with
     * {@code inheritablePolicy}, and the ambient set with both.
     */
    public Cred restrictedTo(CapabilitySet bset, CapabilitySet inheritablePolicy) {
        Objects.requireNonNull(bset, "bset");
        Objects.requireNonNull(inheritablePolicy, "inheritablePolicy");
        boolean dropsNothing = bounding.minus(bset)
                .intersect(new CapabilitySet(Host.capabilities()))
                .isEmpty();
        CapabilitySet newBounding = dropsNothing ? bounding : bounding.intersect(bset);
        CapabilitySet newInheritable = inheritable.intersect(inheritablePolicy);
        // The kernel does not restrict the ambient set to the bounding set.
        CapabilitySet newAmbient = ambient.intersect(inheritablePolicy).intersect(bset);
        if (newBounding.equals(bounding) && newInheritable.equals(inheritable) && newAmbient.equals(ambient)) {
            return this;
        }
        return bounding(newBounding).inheritable(newInheritable).ambient(newAmbient);
    }

    /**
     * Refuses combinations that every kernel refuses.
     *
     * @throws IllegalArgumentException if ambient capabilities are not inheritable or would not be permitted
     */
    void requirePossible() {
        if (!inheritable.containsAll(ambient)) {
            throw new IllegalArgumentException("ambient " + ambient.minus(inheritable) + " is not inheritable");
        }
        if (permitted != null && !permitted.containsAll(ambient)) {
            throw new IllegalArgumentException("ambient " + ambient.minus(permitted) + " is not permitted");
        }
        boolean losesRoot = uids != null && uids[0] != 0 && uids[1] != 0 && uids[2] != 0;
        if (permitted == null && losesRoot && !ambient.isEmpty()) {
            throw new IllegalArgumentException("ambient " + ambient + " with another uid needs permitted capabilities");
        }
        if (permitted != null && effective != null && !permitted.containsAll(effective)) {
            throw new IllegalArgumentException("effective " + effective.minus(permitted) + " is not permitted");
        }
    }

    void writeTo(Plan plan, NamespaceSetup namespaces) {
        writeIds(plan);
        if (namespaces.isJoinedUser()) {
            // The launcher sets an id without a new value to the value that it reads. An unmapped id reads as 65534 in
            // that namespace: setting it fails, or changes the id.
            plan.require(UmhStage.GID).require(UmhStage.UID);
        }
        writeCapabilities(plan);
        if (keyring == Keyring.NAMED) {
            plan.require(UmhStage.KEYRING);
            plan.keyring = keyringName;
        } else if (keyring == Keyring.NEW) {
            plan.require(UmhStage.KEYRING);
            plan.flags |= Plan.KEYRING_OPTIONAL;
        }
        if (execLabel != null) {
            plan.require(UmhStage.EXEC_LABEL);
            plan.execLabel = execLabel;
        }
    }

    private void writeIds(Plan plan) {
        if (groups != null) {
            plan.require(UmhStage.GROUPS);
            plan.groups = groups;
        }
        if (gids != null) {
            plan.require(UmhStage.GID);
            plan.gids = gids;
        }
        if (uids != null) {
            plan.require(UmhStage.UID);
            plan.uids = uids;
        }
    }

    /** Requests no more steps than necessary: by default the launcher only sets the inheritable set. */
    private void writeCapabilities(Plan plan) {
        plan.bounding = bounding.bits();
        if ((plan.bounding & Host.capabilities()) != Host.capabilities()) {
            plan.require(UmhStage.BOUNDING);
        }
        plan.require(UmhStage.CAPABILITIES);
        plan.inheritable = inheritable.bits();
        if (!ambient.isEmpty()) {
            plan.require(UmhStage.AMBIENT);
            plan.ambient = ambient.bits();
        }
        plan.attempt(UmhStage.SECUREBITS);
        if (securebits != null) {
            plan.require(UmhStage.SECUREBITS);
            plan.securebits = securebits;
        }
        if (noNewPrivs) {
            plan.require(UmhStage.NO_NEW_PRIVS);
        }
        if (permitted != null) {
            plan.flags |= Plan.SET_PERMITTED;
            plan.permitted = permitted.bits();
        }
        if (effective != null) {
            plan.flags |= Plan.SET_EFFECTIVE;
            plan.effective = effective.bits();
        }
        if (permitted != null || effective != null || uids != null || securebits != null) {
            plan.require(UmhStage.EFFECTIVE);
        }
    }

    private static int id(long id, String name) {
        if (id < 0 || id > MAX_ID) {
            throw new IllegalArgumentException(name + " " + id + " is not in 0 to " + MAX_ID);
        }
        return (int) id;
    }

    private static Optional<long[]> ids(int @Nullable [] ids) {
        if (ids == null) {
            return Optional.empty();
        }
        long[] unsigned = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            unsigned[i] = Integer.toUnsignedLong(ids[i]);
        }
        return Optional.of(unsigned);
    }

    private static CapabilitySet requireKnown(CapabilitySet set, String name) {
        CapabilitySet unknown = Objects.requireNonNull(set, name).minus(CapabilitySet.all());
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException(name + " has " + unknown + ", which this kernel does not know");
        }
        return set;
    }
}
