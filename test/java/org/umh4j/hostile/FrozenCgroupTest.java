// SPDX-License-Identifier: Apache-2.0
package org.umh4j.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.umh4j.HelperTimeoutException;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.Namespace;
import org.umh4j.support.Await;
import org.umh4j.support.Jvm;
import org.umh4j.support.Leaks;
import org.umh4j.support.NativeProgram;
import org.umh4j.support.OwnCgroup;
import org.umh4j.support.ProbeProgram;
import org.umh4j.support.RequiresRoot;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Limits;
import org.umh4j.task.NamespaceSetup;
import org.umh4j.task.Task;

/**
 * The owner of a cgroup may freeze it at any moment. A launch that is held by this ends, for each way of waiting and
 * of entering. A lease forces the moment: it holds the JVM's {@code open(2)} or the launcher's {@code execve(2)} for
 * a while.
 */
@RequiresRoot
@ExtendWith(Leaks.class)
final class FrozenCgroupTest {
    @TempDir
    private static Path folder;

    private enum Way {
        PROC,
        EXEC,
        KILLABLE,
        START,
        RUN,
        NEW_PID_NAMESPACE
    }

    private enum Moment {
        BEFORE_CLONE,
        BEFORE_EXEC
    }

    static Stream<Arguments> moments() {
        return Stream.of(Moment.values())
                .flatMap(moment -> Stream.of(Way.values()).map(way -> Arguments.of(moment, way)))
                // With its last word the launcher has left it to the helper's owner to wait for a helper that is
                // frozen.
                .filter(pair -> pair.get()[0] == Moment.BEFORE_CLONE
                        || !Set.of(Way.PROC, Way.NEW_PID_NAMESPACE).contains(pair.get()[1]));
    }

    @ParameterizedTest
    @MethodSource("moments")
    void frozenLaunchEnds(Moment moment, Way way) throws Exception {
        assertEquals("CGROUP EBUSY", outcome(moment, way));
    }

    /** Where clone3 may not be used the launcher enters the cgroup itself, and is frozen there. */
    @Test
    void frozenLaunchEndsIfTheLauncherEntersTheCgroup() throws Exception {
        Jvm jvm = new Jvm().option("-Dorg.umh4j.without=clone3");
        assertEquals(
                "CGROUP EBUSY\n".repeat(Way.values().length),
                jvm.run(EnteringMain.class).requireSuccess());
    }

    static final class EnteringMain {
        public static void main(String[] arguments) throws Exception {
            folder = Files.createTempDirectory("umh4j-frozen");
            for (Way way : Way.values()) {
                System.out.println(outcome(Moment.BEFORE_CLONE, way));
            }
        }
    }

    private static String outcome(Moment moment, Way way) throws Exception {
        Path leased = folder.resolve("leased-" + moment + way);
        if (moment == Moment.BEFORE_EXEC) {
            Files.copy(Path.of("/bin/true"), leased, java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
        } else {
            Files.writeString(leased, "x");
        }
        try (OwnCgroup cgroup = OwnCgroup.make("frozen-" + moment + way)) {
            Process lease = new ProcessBuilder(NativeProgram.compile("lease"), leased.toString(), "-1").start();
            assertEquals('h', lease.getInputStream().read());
            Task task = Task.defaults()
                    .limits(Limits.defaults().cgroup(cgroup.folder().toString()));
            Descriptors lent = Descriptors.none().open(7, leased, StandardOpenOption.READ);
            SubprocessInfo info = moment == Moment.BEFORE_EXEC
                    ? SubprocessInfo.of(leased.toString(), new String[] {"true"}, null)
                            .task(task)
                    : ProbeProgram.doing("exit", "0").task(task.descriptors(lent));
            String[] outcomes = {null};
            Thread caller = new Thread(() -> outcomes[0] = told(info, way));
            caller.start();
            Thread.sleep(150); // the lease holds it
            freeze(cgroup, true);
            if (moment == Moment.BEFORE_CLONE) {
                lease.destroyForcibly().waitFor(); // and does so no more
            }
            Await.end(caller);
            lease.destroyForcibly().waitFor();
            freeze(cgroup, false);
            assertEquals("", Files.readString(cgroup.folder().resolve("cgroup.procs")));
            return outcomes[0];
        }
    }

    private static void freeze(OwnCgroup cgroup, boolean on) throws IOException {
        Files.writeString(cgroup.folder().resolve("cgroup.freeze"), on ? "1" : "0");
    }

    private static String told(SubprocessInfo info, Way way) {
        try {
            int retval = switch (way) {
                case PROC -> UsermodeHelper.exec(info, UmhWait.PROC);
                case EXEC -> UsermodeHelper.exec(info, UmhWait.EXEC);
                case KILLABLE -> UsermodeHelper.exec(info, UmhWait.EXEC.killable());
                case NEW_PID_NAMESPACE ->
                    UsermodeHelper.exec(
                            info.task(info.task()
                                    .namespaces(NamespaceSetup.defaults().unshare(Namespace.PID))),
                            UmhWait.PROC);
                case START -> {
                    UsermodeHelper.start(info).close();
                    yield 0;
                }
                case RUN ->
                    UsermodeHelper.run(info, Duration.ofMinutes(5)).status().raw();
            };
            return info.failure().map(e -> e.stage() + " " + e.errnoName()).orElse("" + retval);
        } catch (UmhException e) {
            return e.stage() + " " + e.errnoName();
        } catch (IOException | InterruptedException e) {
            return e.toString();
        }
    }

    /** The same by chance: whatever moment it is, no caller is held beyond its timeout and nothing is left. */
    @Test
    void repeatedFreezesBlockNoCaller() throws Exception {
        long seconds = Long.getLong("test.attack.seconds", 2);
        Map<String, Integer> outcomes = new ConcurrentHashMap<>();
        try (OwnCgroup cgroup = OwnCgroup.make("restless")) {
            Process freezer = new ProcessBuilder(
                            NativeProgram.compile("freezer"),
                            cgroup.folder().resolve("cgroup.freeze").toString(),
                            "" + seconds)
                    .start();
            Thread[] callers = new Thread[3];
            for (int i = 0; i < callers.length; i++) {
                callers[i] = new Thread(() -> {
                    while (freezer.isAlive()) {
                        SubprocessInfo info = ProbeProgram.doing("exit", "0")
                                .task(Task.defaults()
                                        .limits(Limits.defaults()
                                                .cgroup(cgroup.folder().toString())));
                        outcomes.merge(runs(info), 1, Integer::sum);
                    }
                });
                callers[i].start();
            }
            freezer.waitFor(); // it leaves the cgroup frozen
            for (Thread caller : callers) {
                Await.end(caller);
            }
            freeze(cgroup, false);
        }
        System.out.println("FrozenCgroupTest: " + new TreeMap<>(outcomes));
        assertTrue(Set.of("ran", "late", "CGROUP EBUSY").containsAll(outcomes.keySet()), outcomes.toString());
    }

    private static String runs(SubprocessInfo info) {
        try {
            UsermodeHelper.run(info, Duration.ofSeconds(1)).requireSuccess();
            return "ran";
        } catch (HelperTimeoutException e) {
            return "late";
        } catch (UmhException e) {
            return e.stage() + " " + e.errnoName();
        } catch (IOException | InterruptedException e) {
            return e.toString();
        }
    }
}
