// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.umh4j.Helper;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeDriver;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Errno;
import org.umh4j.linux.Signal;
import org.umh4j.linux.WaitStatus;
import org.umh4j.support.Jvm;
import org.umh4j.support.NativeProgram;
import org.umh4j.support.Others;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.Task;

/**
 * Other native code closes each descriptor that the library keeps, and opens a file of another kind at its number.
 * The library does not execute, read, write, send to, close or replace that file, and the next call works.
 */
final class ReusedDescriptorNumbersTest {
    private static final boolean ALL = "all".equals(System.getProperty("test.numbers"));
    private static final Path MARK = Path.of("/tmp/umh4j-was-executed");

    @ParameterizedTest
    @ValueSource(strings = {"one", "all"})
    @RequiresRoot
    void replacedDescriptorsHarmNoOtherFile(String how) throws Exception {
        assertEquals("", run(KeptMain.class, how));
    }

    @ParameterizedTest
    @ValueSource(strings = {"one", "all"})
    @RequiresRoot
    void helperWithReplacedDescriptorsCanBeEnded(String how) throws Exception {
        assertEquals("", run(LiveMain.class, how));
    }

    @Test
    @RequiresRoot
    void replacedProgramOfADriverIsNotExecuted() throws Exception {
        assertEquals("", run(DriverMain.class, "one"));
    }

    private static String run(Class<?> main, String how) throws Exception {
        Files.deleteIfExists(MARK);
        String mark = NativeProgram.compile("mark");
        return new Jvm()
                .limit(Duration.ofMinutes(ALL ? 20 : 2))
                .option("-Dtest.numbers=" + (ALL ? "all" : "some"))
                .run(main, how, mark)
                .requireSuccess();
    }

    /** Prints each fault. */
    private abstract static class Round {
        static final Duration PATIENCE = Duration.ofSeconds(20);

        private final String how;
        private final String mark;
        private final long seed = System.nanoTime();
        private final Random random = new Random(seed);
        private final Map<Integer, String> before;

        Round(String... arguments) throws IOException {
            how = arguments[0];
            mark = arguments[1];
            Others.load();
            before = Others.descriptors();
        }

        /** Creates the state in which the numbers are replaced. */
        abstract void begin() throws Exception;

        /** Checks the result, which must not depend on the replaced numbers. */
        abstract void end(String what) throws Exception;

        final void allKinds() throws Exception {
            for (int kind = 0; kind < Others.kinds(); kind++) {
                begin();
                List<Integer> kept = kept();
                end("nothing");
                if (how.equals("all")) {
                    begin();
                    round(kind, kept());
                } else if (ALL) {
                    for (int i = 0; i < kept.size(); i++) {
                        begin();
                        round(kind, List.of(kept().get(Math.min(i, kept().size() - 1))));
                    }
                } else {
                    begin();
                    List<Integer> now = kept();
                    round(kind, List.of(now.get(random.nextInt(now.size()))));
                }
            }
        }

        private void round(int kind, List<Integer> numbers) throws Exception {
            Map<Integer, String> files = Others.descriptors();
            String what = "kind " + kind + " at ";
            for (int number : numbers) {
                what += number + " (" + files.get(number) + ") ";
                Others.replace(number, kind, mark);
            }
            end(what);
            requireWorks(what);
            say(what, Others.harm());
            say(what, Files.exists(MARK) ? "the other program was executed" : "");
        }

        private List<Integer> kept() throws IOException {
            Map<Integer, String> now = new TreeMap<>(Others.descriptors());
            now.keySet().removeAll(before.keySet());
            return new ArrayList<>(now.keySet());
        }

        /** The first call of each kind may report the replacement. Later ones succeed, and none hangs. */
        static void requireWorks(String what) throws Exception {
            for (UmhWait wait : List.of(UmhWait.PROC, UmhWait.EXEC, UmhWait.PROC.killable())) {
                SubprocessInfo info = ProbeProgram.doing("exit", "0");
                int result = UsermodeHelper.exec(info, wait);
                if (result != 0) {
                    say(
                            what,
                            result == -Errno.EBADF.number() ? "" : wait + " answered " + result + " " + info.failure());
                    result = UsermodeHelper.exec(ProbeProgram.doing("exit", "0"), wait);
                    say(what, result == 0 ? "" : wait + " answered " + result + " the second time");
                }
            }
            try (Helper helper = UsermodeHelper.start(ProbeProgram.doing("exit", "0"))) {
                Optional<WaitStatus> status = helper.waitFor(PATIENCE);
                say(what, status.isPresent() ? "" : "a helper that has ended is not noticed");
            }
        }

        static void say(String what, String wrong) {
            if (!wrong.isEmpty()) {
                System.out.println(what + ": " + wrong);
            }
        }
    }

    /** Nothing runs when the numbers are replaced. */
    static final class KeptMain {
        public static void main(String[] arguments) throws Exception {
            new Round(arguments) {
                @Override
                void begin() throws Exception {
                    requireWorks("nothing");
                }

                @Override
                void end(String what) {}
            }.allKinds();
        }
    }

    /**
     * A helper with three pipes runs while the numbers are replaced: it can be killed, and no caller waits without
     * end.
     */
    static final class LiveMain {
        public static void main(String[] arguments) throws Exception {
            new Round(arguments) {
                private Helper helper;

                @Override
                void begin() throws Exception {
                    helper = Cat.start();
                }

                @Override
                void end(String what) throws Exception {
                    Thread reader = Cat.reader(helper);
                    Cat.write(helper);
                    helper.kill(Signal.KILL);
                    Optional<WaitStatus> status = helper.waitFor(PATIENCE);
                    say(what, status.isEmpty() ? "its end is not noticed" : "");
                    // Before SIGKILL its input may have ended, or its output may have lost its reader: SIGPIPE.
                    boolean expected = status.isEmpty()
                            || status.get().lost()
                            || Set.of(0, 9, 13).contains(status.get().raw());
                    say(what, expected ? "" : "ended with " + status);
                    reader.join(PATIENCE.toMillis());
                    say(what, reader.isAlive() ? "its reader waits for ever" : "");
                    helper.close();
                }
            }.allKinds();
        }
    }

    /** A loaded driver's program is replaced, and all else that there is. */
    static final class DriverMain {
        public static void main(String[] arguments) throws Exception {
            new Round(arguments) {
                private UsermodeDriver driver;

                @Override
                void begin() throws Exception {
                    driver = org.umh4j.support.DriverBlobs.doing("exit", "3");
                }

                @Override
                void end(String what) throws Exception {
                    try {
                        driver.fork();
                        Optional<WaitStatus> status =
                                Optional.of(driver.onExit().get(20, java.util.concurrent.TimeUnit.SECONDS));
                        say(what, status.get().lost() || status.get().exitCode() == 3 ? "" : "ended with " + status);
                    } catch (UmhException e) {
                        say(what, e.errno() == Errno.EBADF.number() ? "" : e.toString());
                    }
                    driver.close();
                }
            }.allKinds();
        }
    }

    /** A helper that reads until the end of its input. */
    private static final class Cat {
        static Helper start() throws Exception {
            return UsermodeHelper.start(SubprocessInfo.of("/bin/cat", new String[] {"cat"}, new String[0])
                    .task(Task.defaults()
                            .descriptors(org.umh4j.task.Descriptors.none()
                                    .pipeFromJvm(0)
                                    .pipeToJvm(1)
                                    .pipeToJvm(2))));
        }

        static Thread reader(Helper helper) {
            Thread reader = new Thread(() -> {
                try {
                    while (helper.stdout().read() >= 0) {
                        // what it has echoed
                    }
                } catch (IOException e) {
                    // others have closed it
                }
            });
            reader.setDaemon(true);
            reader.start();
            return reader;
        }

        static void write(Helper helper) {
            try {
                helper.stdin().write(new byte[] {1, 2, 3});
                helper.stdin().flush();
            } catch (IOException e) {
                // others have closed it
            }
        }
    }
}
