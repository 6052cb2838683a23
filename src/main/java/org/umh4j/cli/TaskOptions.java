// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.umh4j.linux.Rlimit;
import org.umh4j.linux.Signal;
import org.umh4j.task.Fs;
import org.umh4j.task.Limits;
import org.umh4j.task.Sched;
import org.umh4j.task.Session;
import org.umh4j.task.SignalState;
import org.umh4j.task.Task;
import picocli.CommandLine.Option;

/** Where the helper stands, what it may use, how it is scheduled and signalled. */
final class TaskOptions {
    @Option(
            names = "--cwd",
            paramLabel = "PATH",
            description = "The working directory, in the helper's root,"
                    + " entered with the helper's ids and capabilities; / by default.")
    private @Nullable String cwd;

    @Option(names = "--root", paramLabel = "PATH", description = "The root folder.")
    private @Nullable String root;

    @Option(names = "--umask", paramLabel = "OCTAL", description = "Such as 077; 022 by default.")
    private @Nullable String umask;

    @Option(
            names = "--rlimit",
            paramLabel = "NAME=SOFT[:HARD]|inherit",
            description = "Such as nofile=64:128, core=0,"
                    + " as=64M, cpu=unlimited; inherit leaves umh's own where none is given. Repeatable.")
    private List<String> rlimits = new ArrayList<>();

    @Option(names = "--oom-score-adj", paramLabel = "N", description = "-1000 to 1000; 0 by default.")
    private @Nullable Integer oomScoreAdj;

    @Option(
            names = "--coredump-filter",
            paramLabel = "HEX",
            description = "Which mappings a core holds; 33 by default.")
    private @Nullable String coredumpFilter;

    @Option(names = "--cgroup", paramLabel = "PATH", description = "The folder of a cgroup (v2) to be born in.")
    private @Nullable String cgroup;

    @Option(
            names = "--sched",
            paramLabel = "POLICY",
            description = "other, batch, idle, fifo:N, rr:N, or"
                    + " deadline:RUNTIME:DEADLINE:PERIOD with times such as 5ms.")
    private @Nullable String sched;

    @Option(names = "--nice", paramLabel = "N", description = "-20 to 19; 0 by default.")
    private @Nullable Integer nice;

    @Option(names = "--affinity", paramLabel = "LIST", description = "Cpus such as 0,2-3; all by default.")
    private @Nullable String affinity;

    @Option(
            names = "--ioprio",
            paramLabel = "CLASS[:N]",
            description = "none, idle, best-effort:0 to 7, realtime:0 to 7.")
    private @Nullable String ioprio;

    @Option(names = "--timer-slack", paramLabel = "NS", description = "In nanoseconds; 50000 by default.")
    private @Nullable Long timerSlack;

    @Option(names = "--personality", paramLabel = "HEX", description = "The bits of personality(2); 0 by default.")
    private @Nullable String personality;

    @Option(names = "--pdeathsig", paramLabel = "SIGNAL", description = "What the helper gets when umh dies.")
    private @Nullable String pdeathsig;

    @Option(names = "--block", paramLabel = "SIG,SIG", split = ",", description = "Signals that are blocked.")
    private String[] blocked = {};

    @Option(names = "--ignore", paramLabel = "SIG,SIG", split = ",", description = "Signals that are ignored.")
    private String[] ignored = {};

    @Option(names = "--setsid", description = "A session of its own (default).")
    private boolean setsid;

    @Option(names = "--setpgid", description = "umh's session and terminal, in a process group of its own.")
    private boolean setpgid;

    @Option(names = "--inherit-session", description = "umh's session, process group and terminal.")
    private boolean inheritSession;

    @Option(
            names = "--terminal",
            paramLabel = "N",
            description = "A session of its own, with umh's descriptor N, a terminal," + " as its controlling one.")
    private @Nullable Integer terminal;

    private Fs fs() {
        Fs fs = cwd == null ? Fs.defaults() : Fs.defaults().cwd(CommandLineBytes.bytes(cwd, "--cwd"));
        fs = root == null ? fs : fs.root(CommandLineBytes.bytes(root, "--root"));
        if (umask == null) {
            return fs;
        }
        if (!umask.matches("0*[0-7]{1,3}")) {
            throw new IllegalArgumentException("--umask " + umask + ": not an octal number from 0 to 0777");
        }
        return fs.umask(Integer.parseInt(umask, 8));
    }

    private Limits limits() {
        Limits limits = Limits.defaults();
        for (Map.Entry<String, String> limit : parsed().entrySet()) {
            String[] both = limit.getValue().split(":", -1);
            if (both.length > 2) {
                throw new IllegalArgumentException(
                        "--rlimit " + limit.getKey() + "=" + limit.getValue() + ": write NAME=SOFT:HARD");
            }
            limits = limits.rlimit(
                    resource(limit.getKey()), NumberParser.limit(both[0]), NumberParser.limit(both[both.length - 1]));
        }
        limits = rlimits.contains("inherit") ? limits.inheritRlimits() : limits;
        limits = oomScoreAdj == null ? limits : limits.oomScoreAdj(oomScoreAdj);
        limits = coredumpFilter == null
                ? limits
                : limits.coredumpFilter(NumberParser.hexadecimal("--coredump-filter", coredumpFilter));
        return cgroup == null ? limits : limits.cgroup(cgroup);
    }

    private Map<String, String> parsed() {
        Map<String, String> limits = new LinkedHashMap<>();
        for (String limit : rlimits) {
            int equals = limit.indexOf('=');
            if (equals > 0) {
                limits.put(limit.substring(0, equals), limit.substring(equals + 1));
            } else if (!limit.equals("inherit")) {
                throw new IllegalArgumentException("--rlimit " + limit + ": write NAME=SOFT:HARD, or inherit");
            }
        }
        return limits;
    }

    private static Rlimit resource(String name) {
        try {
            return Rlimit.valueOf(name.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("no limit '" + name + "'; there are " + List.of(Rlimit.values()), e);
        }
    }

    private Sched sched() {
        Sched all = sched == null ? Sched.defaults() : policy(sched);
        all = nice == null ? all : all.nice(nice);
        all = affinity == null ? all : all.affinity(NumberParser.list(affinity));
        all = timerSlack == null ? all : all.timerSlack(java.time.Duration.ofNanos(timerSlack));
        return ioprio == null ? all : ioprio(all, ioprio);
    }

    private static Sched policy(String text) {
        String[] parts = text.toLowerCase(Locale.ROOT).split(":", -1);
        Sched kernel = Sched.defaults();
        return switch (parts[0] + "/" + parts.length) {
            case "other/1" -> kernel.other();
            case "batch/1" -> kernel.batch();
            case "idle/1" -> kernel.idle();
            case "fifo/2" -> kernel.fifo(NumberParser.integer(parts[1]));
            case "rr/2" -> kernel.rr(NumberParser.integer(parts[1]));
            case "deadline/4" ->
                kernel.deadline(Durations.parse(parts[1]), Durations.parse(parts[2]), Durations.parse(parts[3]));
            default -> throw new IllegalArgumentException("no policy '" + text + "'; such as batch, fifo:10");
        };
    }

    private static Sched ioprio(Sched sched, String text) {
        String[] parts = text.split(":", 2);
        String name = parts[0].toUpperCase(Locale.ROOT).replace('-', '_');
        int level = parts.length == 1 ? 0 : NumberParser.integer(parts[1]);
        try {
            return sched.ioprio(Sched.IoClass.valueOf(name), level);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("--ioprio " + text + ": such as best-effort:4, idle", e);
        }
    }

    private SignalState signals() {
        SignalState signals = SignalState.defaults().block(numbers(blocked)).ignore(numbers(ignored));
        return pdeathsig == null ? signals : signals.parentDeathSignal(deathSignal(pdeathsig));
    }

    private static Signal deathSignal(String text) {
        int number = Signal.number(text);
        for (Signal signal : Signal.values()) {
            if (signal.number() == number) {
                return signal;
            }
        }
        throw new IllegalArgumentException("--pdeathsig " + text + ": not a real-time signal");
    }

    private static int[] numbers(String[] signals) {
        return java.util.Arrays.stream(signals).mapToInt(Signal::number).toArray();
    }

    private Session session() {
        if (Stream.of(setsid || terminal != null, setpgid, inheritSession)
                        .filter(asked -> asked)
                        .count()
                > 1) {
            throw new IllegalArgumentException(
                    "one of --setsid, --setpgid and --inherit-session; --terminal takes the first");
        }
        if (terminal != null) {
            return Session.terminal(terminal);
        }
        return setpgid ? Session.newGroup() : inheritSession ? Session.inherited() : Session.newSession();
    }

    Task task() {
        Task task = Task.defaults()
                .fs(fs())
                .limits(limits())
                .sched(sched())
                .signals(signals())
                .session(session());
        return personality == null ? task : task.personality(NumberParser.hexadecimal("--personality", personality));
    }
}
