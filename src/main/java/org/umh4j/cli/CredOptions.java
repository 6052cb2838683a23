// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Securebit;
import org.umh4j.task.Cred;
import picocli.CommandLine.Option;

/** Who the helper is. */
final class CredOptions {
    @Option(
            names = "--uid",
            paramLabel = "UID",
            description = "A uid, or three as R:E:S, without umh's"
                    + " supplementary groups; or a user's name, which also sets the user's gid and groups.")
    private @Nullable String uid;

    @Option(names = "--gid", paramLabel = "GID", description = "A gid, or three as R:E:S; or the name of a group.")
    private @Nullable String gid;

    @Option(
            names = "--groups",
            paramLabel = "G,G",
            split = ",",
            arity = "0..1",
            fallbackValue = "",
            description = "The supplementary groups, by number; none, when the list is empty.")
    private String @Nullable [] groups;

    @Option(names = "--keep-gid", description = "Keep umh's own gid with another uid; gid 0 must be asked for.")
    private boolean keepGid;

    @Option(names = "--keep-groups", description = "Keep umh's own supplementary groups with another uid.")
    private boolean keepGroups;

    @Option(names = "--cap-permitted", paramLabel = "CAPS", description = "The permitted set.")
    private @Nullable String permitted;

    @Option(names = "--cap-effective", paramLabel = "CAPS", description = "The effective set.")
    private @Nullable String effective;

    @Option(names = "--cap-inheritable", paramLabel = "CAPS", description = "The inheritable set.")
    private @Nullable String inheritable;

    @Option(names = "--cap-bounding", paramLabel = "CAPS", description = "What stays in the bounding set.")
    private @Nullable String bounding;

    @Option(names = "--cap-ambient", paramLabel = "CAPS", description = "The ambient set.")
    private @Nullable String ambient;

    @Option(names = "--caps", paramLabel = "CAPS", description = "Exactly these, in all five sets.")
    private @Nullable String capabilities;

    @Option(names = "--securebits", paramLabel = "BIT,BIT", split = ",", description = "Such as noroot,noroot_locked.")
    private String @Nullable [] securebits;

    @Option(names = "--no-new-privs", description = "Nothing that is executed gains privilege by its file.")
    private boolean noNewPrivs;

    @Option(
            names = "--keyring",
            paramLabel = "new|inherit|NAME",
            description = "The session keyring: new and without a name" + " (default), umh's own, or a named one.")
    private @Nullable String keyring;

    @Option(names = "--exec-label", paramLabel = "LABEL", description = "The label of the security module.")
    private @Nullable String execLabel;

    Cred cred() {
        Cred cred = identity(Cred.defaults());
        cred = capabilities == null ? cred : cred.capabilities(CapabilitySet.parse(capabilities));
        cred = permitted == null ? cred : cred.permitted(CapabilitySet.parse(permitted));
        cred = effective == null ? cred : cred.effective(CapabilitySet.parse(effective));
        cred = inheritable == null ? cred : cred.inheritable(CapabilitySet.parse(inheritable));
        cred = bounding == null ? cred : cred.bounding(CapabilitySet.parse(bounding));
        cred = ambient == null ? cred : cred.ambient(CapabilitySet.parse(ambient));
        cred = noNewPrivs ? cred.noNewPrivs() : cred;
        cred = execLabel == null ? cred : cred.execLabel(execLabel);
        if (securebits != null) {
            cred = cred.securebits(
                    Arrays.stream(securebits).map(CredOptions::securebit).toArray(Securebit[]::new));
        }
        if (keyring == null || keyring.equals("new")) {
            return cred;
        }
        return keyring.equals("inherit") ? cred.inheritKeyring() : cred.newKeyring(keyring);
    }

    private Cred identity(Cred from) {
        Cred cred = from;
        if (uid != null) {
            long[] ids = NumberParser.ids(uid);
            cred = ids == null ? cred.user(uid) : cred.uids(ids[0], ids[1], ids[2]);
        }
        if (keepGid && gid != null || keepGroups && groups != null) {
            throw new IllegalArgumentException("--keep-gid excludes --gid, and --keep-groups excludes --groups");
        }
        cred = keepGid ? cred.keepGid() : cred;
        cred = keepGroups ? cred.keepGroups() : cred;
        if (gid != null) {
            long[] ids = NumberParser.ids(gid);
            cred = ids == null ? cred.group(gid) : cred.gids(ids[0], ids[1], ids[2]);
        }
        if (groups != null) {
            cred = cred.groups(Arrays.stream(groups)
                    .filter(text -> !text.isEmpty())
                    .mapToLong(NumberParser::number)
                    .toArray());
        }
        return cred;
    }

    private static Securebit securebit(String name) {
        for (Securebit bit : Securebit.values()) {
            if (bit.name().equalsIgnoreCase(name.replace('-', '_'))) {
                return bit;
            }
        }
        throw new IllegalArgumentException(
                "no securebit '" + name + "'; there are " + Arrays.toString(Securebit.values()));
    }
}
