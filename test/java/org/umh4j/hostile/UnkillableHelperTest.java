// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UsermodeHelper;
import org.umh4j.cli.Main;
import org.umh4j.linux.Signal;
import org.umh4j.support.Await;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.Need;
import org.umh4j.support.RequiresRoot;

/**
 * A helper that does not end by SIGKILL: it has moved itself into a frozen cgroup of version 1, which holds SIGKILL.
 */
@RequiresRoot
@ExtendWith(Leaks.class)
final class UnkillableHelperTest {
    private static final Path FREEZERS = Path.of("/sys/fs/cgroup/freezer");

    private Path freezer;

    @BeforeEach
    void freeze() throws Exception {
        if (!Files.exists(FREEZERS.resolve("tasks"))) {
            Need.FREEZER.missing();
        }
        freezer = Files.createDirectory(
                FREEZERS.resolve("umh4j-" + ProcessHandle.current().pid()));
        state("FROZEN");
    }

    @AfterEach
    void remove() throws Exception {
        if (freezer != null) {
            state("THAWED");
            Await.until("the cgroup is removed", () -> freezer.toFile().delete());
        }
    }

    private void state(String state) throws Exception {
        Files.writeString(freezer.resolve("freezer.state"), state);
    }

    private String[] freezingItself() {
        return new String[] {"sh", "-c", "echo $$ > " + freezer.resolve("cgroup.procs") + "; exec sleep 600"};
    }

    private boolean isFrozen(long pid) throws Exception {
        return Files.readAllLines(freezer.resolve("cgroup.procs")).contains("" + pid);
    }

    /** The second close, as by try-with-resources after a call of the first, does not wait as long again. */
    @Test
    void closeReportsProcessThatHasNotEnded() throws Exception {
        List<String> logged = new ArrayList<>();
        Logger logger = Logger.getLogger("org.umh4j");
        Handler handler = new Recorder(logged);
        logger.addHandler(handler);
        Helper helper = UsermodeHelper.start(SubprocessInfo.of("/bin/sh", freezingItself(), null));
        Await.until("it is frozen", () -> isFrozen(helper.pid()));
        try (helper) {
            helper.close();
            assertTrue(helper.isAlive());
        } finally {
            logger.removeHandler(handler);
        }
        assertEquals(1, logged.size());
        assertTrue(logged.get(0).startsWith("pid " + helper.pid() + " has not ended within 5 s after SIGKILL"));
        state("THAWED");
        assertEquals(Signal.KILL.number(), helper.waitFor().signal());
    }

    @Test
    void commandLineReportsProcessThatHasNotEnded() throws Exception {
        List<String> words = new ArrayList<>(List.of("exec", "--timeout", "3s", "/bin/sh"));
        words.addAll(List.of(freezingItself()).subList(1, 3));
        long begin = System.nanoTime();
        Jvm.Outcome outcome = new Jvm().run(Main.class, words.toArray(String[]::new));
        long seconds = (System.nanoTime() - begin) / 1_000_000_000;
        Matcher output = Pattern.compile("umh: pid (\\d+) has not ended: SIGKILL was sent and 5 s have passed\n")
                .matcher(outcome.err());
        assertTrue(output.matches(), outcome.err());
        assertEquals(125, outcome.exitCode());
        assertTrue(isFrozen(Long.parseLong(output.group(1))));
        assertTrue(seconds >= 3 + 2 + 5, seconds + " s");
        assertFalse(outcome.out().contains("\n"));
    }

    private static final class Recorder extends Handler {
        private final List<String> messages;

        Recorder(List<String> messages) {
            this.messages = messages;
        }

        @Override
        public void publish(LogRecord entry) {
            messages.add(entry.getMessage());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }
}
