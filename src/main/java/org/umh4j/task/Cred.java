// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.umh4j.internal.Arguments;
import org.umh4j.internal.Bytes;
import org.umh4j.internal.Host;
import org.umh4j.internal.NameService;
import org.umh4j.internal.Plan;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Securebit;
import org.umh4j.linux.UmhStage;

/**
 * Who a helper is: {@code struct cred}, as a value. Immutable; each method answers a changed copy.
 *
 * <pre>{@code
 * Cred nobody = Cred.defaults().user("nobody").capabilities(CapabilitySet.of(CAP_NET_BIND_SERVICE)).noNewPrivs();
 * }</pre>
 *
 * <p>Begin with {@link #defaults()}. It has the JVM's ids and groups (but see {@link #uid}), a bounding set that only
 * the policy of {@link org.umh4j.UmhSysctl} cuts, no inheritable and no ambient capability, securebits 0, and a new session
 * keyring without a name.
 *
 * <p>The permitted and effective set are those with which the program is executed. What it has then is decided by the
 * rule of {@code execve}: uid 0 gets its bounding set, another uid what is ambient, unless the file or the securebits
 * say otherwise. {@link #capabilities} sets all five so that the program has exactly these, whatever its uid.
 *
 * @apiNote Ids are those of the helper's user namespace, when it gets a new one.
 * @implSpec {@code struct cred} of {@code include/linux/cred.h}, Linux 6.12
 */
public final class Cred {
    /** The largest uid or gid; the one above means "leave alone". */
    public static final long MAX_ID = 0xffff_fffeL;

    /** {@code NGROUPS_MAX}. */
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

    /** The JVM's identity, with nothing asked for. */
    public static Cred defaults() {
        return DEFAULTS;
    }

    /**
     * Real, effective and saved uid.
     *
     * <p>A helper whose uid is not the JVM's loses the JVM's supplementary groups, unless {@link #groups} or
     * {@link #keepGroups} is called. If the JVM's gid is 0, such a helper also needs {@link #gid} or {@link #keepGid};
     * without either the start is refused. {@link #user} sets uid, gid and groups.
     */
    public Cred uid(long uid) {
        return uids(uid, uid, uid);
    }

    /** The three uids one by one. The program itself has the effective one for its saved one: an {@code execve} does that. */
    public Cred uids(long real, long effectiveUid, long saved) {
        Cred copy = new Cred(this);
        copy.uids = new int[] {id(real, "uid"), id(effectiveUid, "uid"), id(saved, "uid")};
        return copy;
    }

    /** Real, effective and saved gid. */
    public Cred gid(long gid) {
        return gids(gid, gid, gid);
    }

    /** The three gids one by one; as with {@link #uids}. */
    public Cred gids(long real, long effectiveGid, long saved) {
        Cred copy = new Cred(this);
        copy.gids = new int[] {id(real, "gid"), id(effectiveGid, "gid"), id(saved, "gid")};
        copy.keepsGid = false;
        return copy;
    }

    /** Keeps the JVM's gid with another uid, even if that gid is 0. */
    public Cred keepGid() {
        Cred copy = new Cred(this);
        copy.gids = null;
        copy.keepsGid = true;
        return copy;
    }

    /** The supplementary groups; an empty array for none: {@link #groups()} asks. */
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

    /** Keeps the JVM's supplementary groups with another uid. */
    public Cred keepGroups() {
        Cred copy = new Cred(this);
        copy.groups = null;
        copy.keepsGroups = true;
        return copy;
    }

    /**
     * A user's uid, gid and supplementary groups, as {@code login} would set them. Calls
     * {@link #user(String, Duration)} with a bound of five seconds.
     */
    public Cred user(String name) {
        return user(name, NameService.BOUND);
    }

    /**
     * A user's uid, gid and supplementary groups, as {@code login} would set them.
     *
     * <p>The name is looked up once, in this call; the result holds numbers, so a start does no lookup.
     * {@code /etc/passwd} and {@code /etc/group} are read first. A name that is not in them is looked up by
     * {@code getent(1)} and {@code id(1)}. These also query the host's other sources (LDAP, sssd, systemd). They run as
     * helpers, so no code of those sources is loaded into the JVM. {@code id} also looks up a local user's groups if
     * {@code /etc/nsswitch.conf} names other sources of groups.
     *
     * @param name a name, never a number: {@code "0"} is not root
     * @param bound the time that the host's other sources may take
     * @throws IllegalArgumentException if the host knows no such user
     * @throws java.io.UncheckedIOException if the other sources could not be queried within the bound
     */
    public Cred user(String name, Duration bound) {
        NameService.User user = NameService.get().user(name, bound);
        return uid(user.uid()).gid(user.gid()).groups(user.groups());
    }

    /** A group's gid by its name. Calls {@link #group(String, Duration)} with a bound of five seconds. */
    public Cred group(String name) {
        return group(name, NameService.BOUND);
    }

    /** A group's gid by its name, looked up in the same sources as in {@link #user(String, Duration)}. */
    public Cred group(String name, Duration bound) {
        return gid(NameService.get().group(name, bound));
    }

    /** What stays in the bounding set; what is not in the JVM's own can't be added. */
    public Cred bounding(CapabilitySet set) {
        Cred copy = new Cred(this);
        copy.bounding = Objects.requireNonNull(set, "bounding");
        return copy;
    }

    /** The inheritable set. */
    public Cred inheritable(CapabilitySet set) {
        Cred copy = new Cred(this);
        copy.inheritable = known(set, "inheritable");
        return copy;
    }

    /** The permitted set with which the program is executed; it survives a change of uid. */
    public Cred permitted(CapabilitySet set) {
        Cred copy = new Cred(this);
        copy.permitted = known(set, "permitted");
        return copy;
    }

    /** The effective set with which the program is executed; by default the permitted one, where that is given. */
    public Cred effective(CapabilitySet set) {
        Cred copy = new Cred(this);
        copy.effective = known(set, "effective");
        return copy;
    }

    /** The ambient set: what a program without privilege of its own has. A subset of inheritable and permitted. */
    public Cred ambient(CapabilitySet set) {
        Cred copy = new Cred(this);
        copy.ambient = known(set, "ambient");
        return copy;
    }

    /** Exactly these capabilities, in all five sets, whatever the uid. */
    public Cred capabilities(CapabilitySet set) {
        Objects.requireNonNull(set, "set");
        return bounding(set).permitted(set).effective(set).inheritable(set).ambient(set);
    }

    /** These securebits and no others. */
    public Cred securebits(Securebit... bits) {
        Cred copy = new Cred(this);
        copy.securebits = 0;
        for (Securebit bit : Arguments.nonNull(bits, "bits")) {
            copy.securebits |= bit.bit();
        }
        return copy;
    }

    /** No program that the helper executes, itself included, gains privilege by its file. */
    public Cred noNewPrivs() {
        Cred copy = new Cred(this);
        copy.noNewPrivs = true;
        return copy;
    }

    /** A new session keyring of this name, or an existing one that this identity may join. */
    public Cred newKeyring(String name) {
        Cred copy = new Cred(this);
        copy.keyring = Keyring.NAMED;
        copy.keyringName = Bytes.of(Objects.requireNonNull(name, "name"), "keyring");
        return copy;
    }

    /** The JVM's session keyring: the helper can use the JVM's keys. */
    public Cred inheritKeyring() {
        Cred copy = new Cred(this);
        copy.keyring = Keyring.INHERITED;
        return copy;
    }

    /**
     * What the security module shall run the helper as: what is written to {@code /proc/PID/attr/exec}. For SELinux a
     * context, for AppArmor {@code exec} and a profile's name.
     */
    public Cred execLabel(String label) {
        Cred copy = new Cred(this);
        copy.execLabel = Bytes.of(label, "execLabel");
        return copy;
    }

    /** What stays in the bounding set. */
    public CapabilitySet bounding() {
        return bounding;
    }

    /** The inheritable set. */
    public CapabilitySet inheritable() {
        return inheritable;
    }

    /** The permitted set, if one is asked for. */
    public Optional<CapabilitySet> permitted() {
        return Optional.ofNullable(permitted);
    }

    /** The effective set, if one is asked for. */
    public Optional<CapabilitySet> effective() {
        return Optional.ofNullable(effective);
    }

    /** The ambient set. */
    public CapabilitySet ambient() {
        return ambient;
    }

    /** Real, effective and saved uid, if they are to change. */
    public Optional<long[]> uids() {
        return ids(uids);
    }

    /** Real, effective and saved gid, if they are to change. */
    public Optional<long[]> gids() {
        return ids(gids);
    }

    /** The supplementary groups, if they were set. Empty even if another uid drops the JVM's groups. */
    public Optional<long[]> groups() {
        return ids(groups);
    }

    /** Whether it may gain no privilege. */
    public boolean isNoNewPrivs() {
        return noNewPrivs;
    }

    boolean changesGroups() {
        return groups != null;
    }

    /**
     * The same, without the JVM's groups if the uid is another one.
     *
     * @throws IllegalArgumentException if that uid would come with the JVM's gid 0 and without {@link #keepGid}
     */
    Cred completed(NamespaceSetup namespaces) {
        if (uids == null || namespaces.isMappedToItself() || !namespaces.isOtherUser() && isOwn(uids)) {
            return this;
        }
        if (gids == null && !keepsGid && Host.gid() == 0) {
            throw new IllegalArgumentException("uid " + Integer.toUnsignedString(uids[1])
                    + " without a gid would leave the helper gid 0; call gid(...), or keepGid() to keep gid 0");
        }
        return groups == null && !keepsGroups ? groups(new long[0]) : this;
    }

    private static boolean isOwn(int[] ids) {
        long own = Host.uid();
        for (int id : ids) {
            if (Integer.toUnsignedLong(id) != own) {
                return false;
            }
        }
        return true;
    }

    /** This, with no more than these sets in the bounding and inheritable set, and than both in the ambient set. */
    public Cred restrictedTo(CapabilitySet bset, CapabilitySet inheritablePolicy) {
        Objects.requireNonNull(bset, "bset");
        Objects.requireNonNull(inheritablePolicy, "inheritablePolicy");
        boolean cutsNone = bounding.minus(bset).intersect(CapabilitySet.all()).isEmpty();
        CapabilitySet boundingLeft = cutsNone ? bounding : bounding.intersect(bset);
        CapabilitySet inheritableLeft = inheritable.intersect(inheritablePolicy);
        // An execve does not hold the ambient set against the bounding set.
        CapabilitySet ambientLeft = ambient.intersect(inheritablePolicy).intersect(bset);
        if (boundingLeft.equals(bounding) && inheritableLeft.equals(inheritable) && ambientLeft.equals(ambient)) {
            return this;
        }
        return bounding(boundingLeft).inheritable(inheritableLeft).ambient(ambientLeft);
    }

    /**
     * Refuses what no kernel would take.
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
        identity(plan);
        if (namespaces.isJoinedUser()) {
            // An unmapped id reads as 65534 there. Setting it to what it reads as fails, or makes it no longer the
            // JVM's.
            plan.require(UmhStage.GID).require(UmhStage.UID);
        }
        capabilities(plan);
        if (keyring == Keyring.NAMED) {
            plan.require(UmhStage.KEYRING);
            plan.keyring = keyringName;
        } else if (keyring == Keyring.NEW) {
            plan.require(UmhStage.KEYRING);
            plan.flags |= Plan.KEYLESS;
        }
        if (execLabel != null) {
            plan.require(UmhStage.EXEC_LABEL);
            plan.execLabel = execLabel;
        }
    }

    private void identity(Plan plan) {
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

    /** With nothing asked for, the launcher has one set to look at, the inheritable one, and nothing to drop. */
    private void capabilities(Plan plan) {
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
            plan.flags |= Plan.PERMITTED;
            plan.permitted = permitted.bits();
        }
        if (effective != null) {
            plan.flags |= Plan.EFFECTIVE;
            plan.effective = effective.bits();
        }
        if (permitted != null || effective != null || uids != null || securebits != null) {
            plan.require(UmhStage.EFFECTIVE);
        }
    }

    private static int id(long id, String what) {
        if (id < 0 || id > MAX_ID) {
            throw new IllegalArgumentException(what + " " + id + " is not in 0 to " + MAX_ID);
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

    private static CapabilitySet known(CapabilitySet set, String what) {
        CapabilitySet unknown = Objects.requireNonNull(set, what).minus(CapabilitySet.all());
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException(what + " has " + unknown + ", which this kernel does not know");
        }
        return set;
    }
}
