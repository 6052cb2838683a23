// SPDX-License-Identifier: Apache-2.0
package org.umh4j.task;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.support.CapabilityModel;
import org.umh4j.support.CapabilityModel.Process;
import org.umh4j.support.CapabilityModel.Program;
import org.umh4j.support.CapabilityModel.Refused;
import org.umh4j.support.CapableProgram;
import org.umh4j.support.Combinations;
import org.umh4j.support.CredCombination;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;

/** Each combination of the capabilities of a Cred, compared with a model of the manual pages. */
@RequiresRoot
@ExtendWith(Leaks.class)
final class CredCapabilitiesTest {
    /** Shares no factor with the size of any dimension, so that a stride of it meets the values of all alike. */
    private static final int STRIDE = 53;

    /** So many helpers take half a minute, and many times that on a busy machine. */
    @Test
    @Timeout(value = 20, unit = TimeUnit.MINUTES)
    void eachCombinationMatchesTheManualPages() throws Exception {
        assertEquals(92_160, CredCombination.COUNT);
        assertEquals(List.of(), new Run(CapableProgram.install(), 0).failures(1));
    }

    /** The JVM's capabilities limit the possible requests, and add nothing to the result. */
    @ParameterizedTest(name = "{1}")
    @CsvSource({
        "0, --inh-caps +chown;+kill;+net_raw --ambient-caps +chown;+kill;+net_raw",
        "0, --bounding-set -net_admin;-sys_admin",
        "0, --bounding-set -setpcap",
        "0, --bounding-set -setuid",
        "0, --no-new-privs",
        "1, --inh-caps +all --ambient-caps +all --securebits +noroot",
        "4, --securebits +no_setuid_fixup",
        "0, --reuid 60000 --clear-groups",
        "0, --reuid 60000 --clear-groups --inh-caps +all --ambient-caps +all",
        "0, --reuid 60000 --clear-groups --inh-caps +setuid;+kill;+chown --ambient-caps +setuid;+kill;+chown",
    })
    void helperOfAnUnusualJvmMatchesTheManualPages(String securebits, String setpriv) throws Exception {
        String command = "setpriv " + setpriv.replace(";", ",").replace("+all", all());
        Stream<String> programs = CapableProgram.install().stream().map(Path::toString);
        String out = new Jvm()
                .readableByAll()
                .under(command.split(" "))
                .run(
                        OddMain.class,
                        Stream.concat(Stream.of(securebits), programs).toArray(String[]::new))
                .requireSuccess();
        assertEquals("", out);
    }

    /** Without those that this JVM's bounding set lacks: they can't be raised. */
    private static String all() throws IOException {
        return CapabilitySet.all().intersect(new CapabilitySet(status("CapBnd"))).names().stream()
                .map(capability -> "+" + capability.substring("cap_".length()))
                .collect(Collectors.joining(","));
    }

    /** Prints what is not as it should be. */
    static final class OddMain {
        public static void main(String[] arguments) throws Exception {
            List<Path> programs = Stream.of(arguments).skip(1).map(Path::of).collect(Collectors.toList());
            new Run(programs, Integer.parseInt(arguments[0])).failures(STRIDE).forEach(System.out::println);
        }
    }

    /** Many combinations, by several threads. */
    private static final class Run {
        private final List<Path> paths;
        private final List<Program> programs = new ArrayList<>(List.of(Program.PLAIN));
        private final long full = status("CapBnd");
        private final Process launcher;

        Run(List<Path> paths, int securebits) throws IOException, Refused {
            this.paths = paths;
            for (CapableProgram program : CapableProgram.values()) {
                programs.add(program.program());
            }
            Process jvm = new Process(
                    status("Uid") == 0,
                    status("CapPrm"),
                    status("CapEff"),
                    status("CapInh"),
                    full,
                    status("CapAmb"),
                    securebits,
                    status("NoNewPrivs") == 1);
            launcher = jvm.execute(Program.PLAIN);
        }

        List<String> failures(int stride) throws InterruptedException {
            return Combinations.failures(CredCombination.COUNT, stride, (worker, number) -> {
                CredCombination combination = CredCombination.of(number);
                Program program = programs.get(combination.program());
                String expected = CapabilityModel.outcome(launcher, combination.request(full), program);
                String actual = outcome(combination, ProbeProgram.FOLDER.resolve("caps" + worker));
                return expected.equals(actual)
                        ? Optional.empty()
                        : Optional.of(combination + ": expected " + expected + ", was " + actual);
            });
        }

        private String outcome(CredCombination combination, Path out) {
            String path = paths.get(combination.program()).toString();
            SubprocessInfo info = SubprocessInfo.of(path, ProbeProgram.argv("caps"), null)
                    .task(Task.defaults()
                            .descriptors(Descriptors.none()
                                    .open(
                                            1,
                                            out.toString(),
                                            StandardOpenOption.WRITE,
                                            StandardOpenOption.CREATE,
                                            StandardOpenOption.TRUNCATE_EXISTING)));
            try {
                info.task(info.task().cred(combination.cred(full)));
                int retval = UsermodeHelper.exec(info, UmhWait.PROC);
                return info.failure()
                        .map(failure -> failure.stage() + " " + failure.errnoName())
                        .orElse(retval == 0 ? line(out) : "retval " + retval);
            } catch (IllegalArgumentException e) {
                return CapabilityModel.IMPOSSIBLE;
            }
        }

        private static String line(Path out) {
            try {
                return Files.readString(out).trim();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static long status(String name) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith(name + ":")) {
                return Long.parseUnsignedLong(
                        line.substring(name.length() + 1).trim().split("\\s")[0], 16);
            }
        }
        throw new IOException("no " + name);
    }
}
