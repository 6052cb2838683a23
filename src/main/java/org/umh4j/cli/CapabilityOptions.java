// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Securebit;
import org.umh4j.task.Cred;
import picocli.CommandLine.Option;

/** The options for capability sets, securebits and no_new_privs. */
final class CapabilityOptions {
    @Option(
            names = "--caps",
            paramLabel = "CAPS",
            converter = CapabilitySetConverter.class,
            completionCandidates = CapabilitySetConverter.class,
            description = "All five sets. CAPS is a list such as cap_chown,cap_kill, all, none, or hexadecimal.")
    private @Nullable CapabilitySet all;

    @Option(
            names = "--cap-permitted",
            paramLabel = "CAPS",
            converter = CapabilitySetConverter.class,
            completionCandidates = CapabilitySetConverter.class,
            description = "The permitted set.")
    private @Nullable CapabilitySet permitted;

    @Option(
            names = "--cap-effective",
            paramLabel = "CAPS",
            converter = CapabilitySetConverter.class,
            completionCandidates = CapabilitySetConverter.class,
            description = "The effective set. Default: the permitted set, if that is given.")
    private @Nullable CapabilitySet effective;

    @Option(
            names = "--cap-inheritable",
            paramLabel = "CAPS",
            converter = CapabilitySetConverter.class,
            completionCandidates = CapabilitySetConverter.class,
            description = "The inheritable set. Default: none.")
    private @Nullable CapabilitySet inheritable;

    @Option(
            names = "--cap-bounding",
            paramLabel = "CAPS",
            converter = CapabilitySetConverter.class,
            completionCandidates = CapabilitySetConverter.class,
            description = "The bounding set. Capabilities that umh's bounding set lacks can't be added.")
    private @Nullable CapabilitySet bounding;

    @Option(
            names = "--cap-ambient",
            paramLabel = "CAPS",
            converter = CapabilitySetConverter.class,
            completionCandidates = CapabilitySetConverter.class,
            description = "The ambient set, a subset of the permitted and inheritable sets. Default: none.")
    private @Nullable CapabilitySet ambient;

    @Option(
            names = "--securebits",
            paramLabel = "BIT,BIT",
            split = ",",
            hideParamSyntax = true,
            converter = SecurebitConverter.class,
            completionCandidates = SecurebitConverter.class,
            description = "The securebits, such as noroot,noroot_locked. Default: none.")
    private @Nullable List<Securebit> securebits;

    @Option(
            names = "--no-new-privs",
            description = "Sets no_new_privs: set-user-ID bits and file capabilities have no effect on execve(2).")
    private boolean noNewPrivs;

    Cred applyTo(Cred from) {
        Cred cred = all == null ? from : from.capabilities(all);
        cred = permitted == null ? cred : cred.permitted(permitted);
        cred = effective == null ? cred : cred.effective(effective);
        cred = inheritable == null ? cred : cred.inheritable(inheritable);
        cred = bounding == null ? cred : cred.bounding(bounding);
        cred = ambient == null ? cred : cred.ambient(ambient);
        cred = noNewPrivs ? cred.noNewPrivs() : cred;
        return securebits == null ? cred : cred.securebits(securebits.toArray(Securebit[]::new));
    }

    /** Securebits in small letters, with {@code _} or {@code -}. */
    static final class SecurebitConverter extends ValueConverter<Securebit> {
        @Override
        Securebit parse(String text) {
            return EnumNames.parse(List.of(Securebit.values()), text, "securebit");
        }

        @Override
        List<String> candidates() {
            return EnumNames.of(List.of(Securebit.values()));
        }
    }
}
