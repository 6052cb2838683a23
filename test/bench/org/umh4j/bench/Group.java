// SPDX-License-Identifier: Apache-2.0
package org.umh4j.bench;

import java.io.FileInputStream;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.umh4j.Helper;
import org.umh4j.KernelPlan;
import org.umh4j.UmhWait;
import org.umh4j.UsermodeHelper;
import org.umh4j.internal.Plan;
import org.umh4j.internal.PlannedStart;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;
import org.umh4j.task.Descriptors;
import org.umh4j.task.Task;

/** The varied values, one at a time, while the contenders start programs. Each group runs in a new JVM. */
enum Group {
    /** Open descriptors of the JVM. */
    DESCRIPTORS {
        @Override
        void measure(Recorder recorder, int rounds) throws Exception {
            List<FileInputStream> open = new ArrayList<>();
            for (int count : new int[] {0, 1_000, 19_000}) {
                while (open.size() < count) {
                    open.add(new FileInputStream("/dev/null"));
                }
                for (String target : new String[] {TINY, "/bin/true"}) {
                    List<Contender> contenders = Contenders.all(target);
                    recorder.record(count, fileName(target), contenders, Interleaved.micros(contenders, rounds));
                }
            }
            for (FileInputStream file : open) {
                file.close();
            }
        }
    },

    /** Touched heap: the runner starts a JVM of each size. */
    HEAP {
        @Override
        void measure(Recorder recorder, int rounds) throws Exception {
            long mebibytes = Runtime.getRuntime().totalMemory() >> 20;
            List<Contender> contenders = Contenders.near(TINY);
            recorder.record(mebibytes + " MiB", fileName(TINY), contenders, Interleaved.micros(contenders, rounds));
        }
    },

    /** Live children; and the time from a helper's end to its completed future. */
    LIVE {
        @Override
        void measure(Recorder recorder, int rounds) throws Exception {
            List<Helper> live = new ArrayList<>();
            List<Contender> contenders = Contenders.near(TINY);
            for (int count : new int[] {0, 1_000, 10_000}) {
                Footprint before = Footprint.now();
                int more = count - live.size();
                while (live.size() < count) {
                    live.add(UsermodeHelper.start(Contenders.info(PAUSE)));
                }
                Footprint.now().record(recorder, count, before, more);
                recorder.record(count, fileName(TINY), contenders, Interleaved.micros(contenders, rounds));
                recorder.record(count, "exit notice", Contenders.UMH4J, "us", exitNotices(rounds));
            }
            live.forEach(Helper::close);
        }

        private Samples exitNotices(int rounds) throws Exception {
            Samples samples = new Samples();
            for (int i = -Interleaved.warmUp(rounds); i < rounds; i++) {
                try (Helper helper = UsermodeHelper.start(Contenders.info(PAUSE))) {
                    CompletableFuture<Long> end = helper.onExit().thenApply(status -> System.nanoTime());
                    long begin = System.nanoTime();
                    helper.kill(Signal.KILL);
                    double micros = (end.get(20, TimeUnit.SECONDS) - begin) / 1e3;
                    if (i >= 0) {
                        samples.add(micros);
                    }
                }
            }
            return samples;
        }
    },

    /** Bytes of the argument vector. */
    ARGUMENTS {
        @Override
        void measure(Recorder recorder, int rounds) throws Exception {
            for (int kibibytes : new int[] {1, 128}) {
                String[] argv = new String[1 + kibibytes];
                argv[0] = TINY;
                for (int i = 1; i < argv.length; i++) {
                    argv[i] = "x".repeat(1_023);
                }
                List<Contender> contenders = Contenders.near(argv);
                recorder.record(kibibytes + " KiB", fileName(TINY), contenders, Interleaved.micros(contenders, rounds));
            }
        }
    },

    /** Threads that start at the same time: time a start, over all of them. */
    THREADS {
        @Override
        void measure(Recorder recorder, int rounds) throws Exception {
            List<Contender> contenders = Contenders.near(TINY);
            Interleaved.micros(contenders, rounds); // compiled by now
            for (int threads : new int[] {1, 2, 8}) {
                List<Samples> samples = new ArrayList<>();
                contenders.forEach(contender -> samples.add(new Samples()));
                for (int round = 0; round < Math.max(8, rounds / 40); round++) {
                    for (int i = 0; i < contenders.size(); i++) {
                        samples.get(i).add(microsEach(contenders.get(i), Threads.platform(), threads));
                    }
                }
                recorder.record(threads, fileName(TINY), contenders, samples);
                if (Threads.hasVirtual()) {
                    recorder.record(threads, fileName(TINY), "umh4j, virtual threads", "us", virtual(threads, rounds));
                }
            }
        }

        private Samples virtual(int threads, int rounds) throws Exception {
            Samples samples = new Samples();
            for (int round = 0; round < Math.max(8, rounds / 40); round++) {
                samples.add(microsEach(Contenders.umh4j(TINY), Threads.virtual(), threads));
            }
            return samples;
        }

        private double microsEach(Contender contender, Threads kind, int threads) throws Exception {
            AtomicInteger left = new AtomicInteger(BATCH);
            long begin = System.nanoTime();
            List<Thread> started = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                started.add(kind.start(() -> {
                    while (left.getAndDecrement() > 0) {
                        contender.start().run();
                    }
                }));
            }
            for (Thread thread : started) {
                thread.join();
            }
            return (System.nanoTime() - begin) / 1e3 / BATCH;
        }
    },

    /** Virtual threads read from silent helpers, while another helper echoes a byte. */
    READERS {
        @Override
        void measure(Recorder recorder, int rounds) throws Exception {
            List<Helper> silent = new ArrayList<>();
            List<Thread> readers = new ArrayList<>();
            for (int count : new int[] {0, 400}) {
                while (Threads.hasVirtual() && silent.size() < count) {
                    Helper helper = UsermodeHelper.start(Contenders.info(PAUSE)
                            .task(Task.defaults().descriptors(Descriptors.none().pipeToJvm(1))));
                    silent.add(helper);
                    readers.add(Threads.virtual().start(() -> helper.stdout().read()));
                }
                if (Threads.hasVirtual()) {
                    recorder.record(count, "a byte there and back", "umh4j, virtual threads", "us", echoes(rounds));
                }
            }
            for (int i = 0; i < silent.size(); i++) {
                silent.get(i).kill(Signal.KILL);
                readers.get(i).join();
                silent.get(i).close();
            }
        }

        private Samples echoes(int rounds) throws Exception {
            Samples samples = new Samples();
            Threads.virtual()
                    .start(() -> {
                        try (Helper helper = UsermodeHelper.start(Contenders.info("/bin/cat")
                                .task(Task.defaults()
                                        .descriptors(Descriptors.none()
                                                .pipeFromJvm(0)
                                                .pipeToJvm(1))))) {
                            for (int i = -Interleaved.warmUp(rounds); i < rounds; i++) {
                                long begin = System.nanoTime();
                                helper.stdin().write(1);
                                helper.stdout().read();
                                if (i >= 0) {
                                    samples.add((System.nanoTime() - begin) / 1e3);
                                }
                            }
                        }
                    })
                    .join();
            return samples;
        }
    },

    /** The cost of each step of the launcher: starts with all steps, and with all but one. */
    STEPS {
        @Override
        void measure(Recorder recorder, int rounds) throws Exception {
            Plan plan = KernelPlan.of(Contenders.info(TINY));
            long steps = PlannedStart.steps(plan);
            List<Contender> contenders = Contenders.near(TINY);
            contenders.add(new Contender("all steps", PlannedStart.of(TINY, plan, steps)::run));
            for (UmhStage stage : UmhStage.values()) {
                if ((steps >> stage.ordinal() & 1) != 0) {
                    long others = steps & ~(1L << stage.ordinal());
                    contenders.add(new Contender("without " + stage, PlannedStart.of(TINY, plan, others)::run));
                }
            }
            contenders.add(new Contender("no step", PlannedStart.of(TINY, plan, 0)::run));
            recorder.record("", fileName(TINY), contenders, Interleaved.micros(contenders, rounds));
        }
    },

    /** The time that NO_WAIT takes in its caller. */
    NO_WAIT {
        @Override
        void measure(Recorder recorder, int rounds) throws Exception {
            Samples samples = new Samples();
            for (int i = -Interleaved.warmUp(rounds); i < rounds; i++) {
                long begin = System.nanoTime();
                UsermodeHelper.exec(Contenders.info(TINY), UmhWait.NO_WAIT);
                if (i >= 0) {
                    samples.add((System.nanoTime() - begin) / 1e3);
                }
                TimeUnit.MICROSECONDS.sleep(300); // a caller that does something else
            }
            recorder.record("caller", "NO_WAIT", Contenders.UMH4J, "us", samples);
        }
    };

    private static final String TINY = System.getProperty("bench.tiny", "");
    private static final String PAUSE = System.getProperty("bench.pause", "");
    private static final int BATCH = 200;

    /** Measures and writes rows, which it may take minutes for. */
    abstract void measure(Recorder recorder, int rounds) throws Exception;

    private static String fileName(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /** Runs one group in this JVM. */
    public static void main(String[] arguments) throws Exception {
        PrintStream out = System.out;
        System.setOut(System.err); // rows alone go to where rows are read
        Group group = valueOf(arguments[0]);
        String name = (group + " " + Contenders.MECHANISM).trim().toLowerCase(java.util.Locale.ROOT);
        group.measure(new Recorder(out, name), Integer.parseInt(arguments[1]));
        out.flush();
        Runtime.getRuntime().halt(0); // NuProcess has threads that wait
    }
}
