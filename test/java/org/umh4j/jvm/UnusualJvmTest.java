// SPDX-License-Identifier: Apache-2.0
package org.umh4j.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.support.EveryUse;
import org.umh4j.support.Jvm;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;

/** A JVM with unusual signals, descriptors, directory or pid starts the same helpers with the same results. */
final class UnusualJvmTest {
    private static final Map<String, Function<Jvm, Jvm>> WAYS = Map.of(
            "as usual", jvm -> jvm,
            "without use of signals", jvm -> jvm.option("-Xrs"),
            "with signals ignored", jvm -> jvm.under("env", "--ignore-signal=CHLD,PIPE,INT,HUP,TERM,USR1"),
            "with signals blocked", jvm -> jvm.under("env", "--block-signal=CHLD,PIPE,INT,HUP,TERM,USR1"),
            "with every signal blocked", jvm -> jvm.under("env", "--block-signal"),
            "with a few descriptors", jvm -> jvm.under("prlimit", "--nofile=200:200"),
            "with ten thousand descriptors",
                    jvm -> jvm.under(
                            "prlimit",
                            "--nofile=12000:",
                            ProbeProgram.path(),
                            "descriptors",
                            "10000",
                            "exec",
                            "/usr/bin/env",
                            "env"),
            "in a folder that is gone",
                    jvm -> jvm.after("cd $(mktemp -d)").option("-Dtest.gone=true"), // only then: no JVM begins there
            "as pid 1", jvm -> jvm.under("unshare", "--pid", "--fork", "--mount-proc"),
            "as pid 1 without a mount of proc", jvm -> jvm.under("unshare", "--pid", "--fork"));

    @ParameterizedTest
    @RequiresRoot
    @ValueSource(
            strings = {
                "as usual",
                "without use of signals",
                "with signals ignored",
                "with signals blocked",
                "with every signal blocked",
                "with a few descriptors",
                "with ten thousand descriptors",
                "in a folder that is gone",
                "as pid 1",
                "as pid 1 without a mount of proc",
            })
    void resultsAreTheSame(String way) throws Exception {
        String out = WAYS.get(way).apply(new Jvm()).run(EveryUse.class).requireSuccess();
        assertEquals(String.join("\n", EveryUse.EXPECTED), out);
    }

    /** Such a JVM gets its library's and the helper's files in the place of its standard streams. */
    @ParameterizedTest
    @ValueSource(strings = {"<&-", ">&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"})
    void resultsAreTheSameWithClosedStandardDescriptors(String closed) throws Exception {
        Path output = Files.createTempFile("odd", ".txt");
        Jvm jvm = new Jvm().under("/bin/sh", "-c", "exec \"$0\" \"$@\" " + closed);
        assertEquals(0, jvm.run(EveryUse.class, output.toString()).exitCode());
        assertEquals(String.join("\n", EveryUse.EXPECTED), Files.readString(output));
        Files.delete(output);
    }
}
