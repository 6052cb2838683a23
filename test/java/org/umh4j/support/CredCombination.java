// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.util.Arrays;
import java.util.function.BiFunction;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Securebit;
import org.umh4j.support.CapabilityModel.Request;
import org.umh4j.task.Cred;

/**
 * One of all combinations of what a Cred can ask for and what is executed, by its number: the digits of a number whose
 * places have the sizes of the dimensions.
 *
 * <p>Each of the five sets has its own few, so that none passes for another, and each few is within those of the sets
 * that limit it: what is unlawful is so by one set being full and another not.
 */
public record CredCombination(
        Integer uid,
        Value permitted,
        Value effective,
        Value inheritable,
        Value bounding,
        Value ambient,
        Bits securebits,
        boolean noNewPrivs,
        int program) {
    /** The request for one set. */
    public enum Value {
        NOT_ASKED,
        EMPTY,
        FEW,
        FULL;

        Long set(long few, long full) {
            return switch (this) {
                case NOT_ASKED -> null;
                case EMPTY -> 0L;
                case FEW -> few;
                case FULL -> full;
            };
        }
    }

    /** Securebits, each also by the number that the kernel's header has for it. */
    public enum Bits {
        NOT_ASKED(null),
        NONE(0),
        NOROOT(CapabilityModel.NOROOT, Securebit.NOROOT),
        NO_SETUID_FIXUP(CapabilityModel.NO_SETUID_FIXUP, Securebit.NO_SETUID_FIXUP),
        KEEP_CAPS_AND_LOCK(
                CapabilityModel.KEEP_CAPS | CapabilityModel.KEEP_CAPS_LOCKED,
                Securebit.KEEP_CAPS,
                Securebit.KEEP_CAPS_LOCKED);

        private final Integer number;
        private final Securebit[] bits;

        Bits(Integer number, Securebit... bits) {
            this.number = number;
            this.bits = bits;
        }
    }

    /** How many programs there are: one without file capabilities and those of {@link CapableProgram}. */
    public static final int PROGRAMS = 1 + CapableProgram.values().length;

    public static final int COUNT = 3 * (int) Math.pow(Value.values().length, 5) * Bits.values().length * 2 * PROGRAMS;

    private static final long CHOWN = 1 << 0;
    private static final long KILL = 1 << 5;
    private static final long BIND = 1 << 10;
    private static final long RAW = 1 << 13;
    private static final Integer[] UIDS = {null, 0, 65_534};

    public static CredCombination of(int number) {
        int[] digits = new int[9];
        int rest = number;
        int[] sizes = {UIDS.length, 4, 4, 4, 4, 4, Bits.values().length, 2, PROGRAMS};
        for (int i = 0; i < sizes.length; i++) {
            digits[i] = rest % sizes[i];
            rest /= sizes[i];
        }
        Value[] values = Arrays.stream(digits, 1, 6)
                .mapToObj(digit -> Value.values()[digit])
                .toArray(Value[]::new);
        return new CredCombination(
                UIDS[digits[0]],
                values[0],
                values[1],
                values[2],
                values[3],
                values[4],
                Bits.values()[digits[6]],
                digits[7] == 1,
                digits[8]);
    }

    /** For the model; full is what the JVM's bounding set has. */
    public Request request(long full) {
        return new Request(
                uid,
                permitted.set(CHOWN | KILL | BIND, full),
                effective.set(KILL | BIND, full),
                inheritable.set(CHOWN | KILL | RAW, full),
                bounding.set(CHOWN | KILL | BIND | RAW, full),
                ambient.set(CHOWN | KILL, full),
                securebits.number,
                noNewPrivs);
    }

    /** For the library. */
    public Cred cred(long full) {
        Request request = request(full);
        Cred cred = Cred.defaults();
        cred = uid == null ? cred : cred.uid(uid).keepGid().keepGroups();
        cred = with(cred, request.permitted(), Cred::permitted);
        cred = with(cred, request.effective(), Cred::effective);
        cred = with(cred, request.inheritable(), Cred::inheritable);
        cred = with(cred, request.bounding(), Cred::bounding);
        cred = with(cred, request.ambient(), Cred::ambient);
        cred = securebits.number == null ? cred : cred.securebits(securebits.bits);
        return noNewPrivs ? cred.noNewPrivs() : cred;
    }

    private static Cred with(Cred cred, Long set, BiFunction<Cred, CapabilitySet, Cred> setter) {
        return set == null ? cred : setter.apply(cred, new CapabilitySet(set));
    }
}
