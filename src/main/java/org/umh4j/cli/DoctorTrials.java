// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.umh4j.Helper;
import org.umh4j.HelperProbe;
import org.umh4j.JvmPrivileges;
import org.umh4j.SubprocessInfo;
import org.umh4j.UmhException;
import org.umh4j.UsermodeHelper;
import org.umh4j.linux.CapabilitySet;
import org.umh4j.linux.Namespace;
import org.umh4j.linux.Rlimit;
import org.umh4j.linux.Signal;
import org.umh4j.linux.UmhStage;
import org.umh4j.linux.WaitStatus;
import org.umh4j.task.Cred;
import org.umh4j.task.Fs;
import org.umh4j.task.Limits;
import org.umh4j.task.NamespaceSetup;
import org.umh4j.task.Sandbox;
import org.umh4j.task.Sched;
import org.umh4j.task.Task;

/**
 * The trials of {@code umh doctor}: each starts a helper with one attribute and reports whether this host permits it.
 *
 * <p>The JVM's capabilities do not predict this, because a user namespace, a security module or a seccomp filter may
 * refuse a call that they permit.
 */
final class DoctorTrials {
    private static final Duration TRIAL_TIMEOUT = Duration.ofSeconds(5);
    private static final long NOBODY = 65_534;
    /** One instruction: BPF_RET with SECCOMP_RET_ALLOW. */
    private static final byte[] ALLOW_ALL = {6, 0, 0, 0, 0, 0, (byte) 0xff, 0x7f};

    private static final AtomicInteger CGROUPS = new AtomicInteger();

    private final HelperProbe probe;
    private final Consumer<CheckResult> results;

    private DoctorTrials(HelperProbe probe, Consumer<CheckResult> results) {
        this.probe = probe;
        this.results = results;
    }

    /** Runs all trials and passes each result to the consumer. */
    static void all(HelperProbe probe, Consumer<CheckResult> results) throws InterruptedException {
        DoctorTrials trials = new DoctorTrials(probe, results);
        trials.identity();
        trials.privileges();
        for (Namespace kind : Namespace.values()) {
            trials.namespace(kind);
        }
        trials.root();
        trials.cgroup();
        trials.confinement();
    }

    private void identity() throws InterruptedException {
        long uid = anotherId("/proc/self/uid_map", JvmPrivileges::uid);
        long gid = anotherId("/proc/self/gid_map", JvmPrivileges::gid);
        String noUid = uid < 0 ? "no other uid is mapped in this user namespace" : null;
        String noGid = gid < 0 ? "no other gid is mapped in this user namespace" : null;
        attempt(
                "another user",
                noUid,
                UmhStage.UID,
                task -> task.cred(Cred.defaults().uid(uid).keepGid().keepGroups()));
        attempt(
                "another group",
                noGid,
                UmhStage.GID,
                task -> task.cred(Cred.defaults().gid(gid)));
        attempt(
                "groups",
                noGid,
                UmhStage.GROUPS,
                task -> task.cred(Cred.defaults().groups(gid)));
        report("killing theirs", noUid != null ? noUid : killing(uid));
    }

    /** Returns the reason why a helper of another user can't be killed, or null. The helper ends after 500 ms. */
    private @Nullable String killing(long uid) throws InterruptedException {
        SubprocessInfo info = SubprocessInfo.of(probe.path(), new String[] {"probe", "sleep", "500"}, new String[0])
                .task(Task.defaults().cred(Cred.defaults().uid(uid).keepGid().keepGroups()));
        try (Helper helper = UsermodeHelper.start(info)) {
            return killing(helper);
        } catch (IOException e) {
            return "there is none: " + reason(e);
        }
    }

    private @Nullable String killing(Helper helper) throws InterruptedException {
        try {
            return helper.kill(Signal.KILL) ? null : "it had ended before it could be tried";
        } catch (UmhException e) {
            return reason(e);
        } finally {
            helper.waitFor(TRIAL_TIMEOUT);
        }
    }

    private void privileges() throws InterruptedException {
        attempt(
                "fewer caps",
                null,
                UmhStage.BOUNDING,
                task -> task.cred(Cred.defaults().bounding(CapabilitySet.NONE)));
        attempt(
                "no new privs",
                null,
                UmhStage.NO_NEW_PRIVS,
                task -> task.cred(Cred.defaults().noNewPrivs()));
        attempt(
                "negative nice",
                null,
                UmhStage.NICE,
                task -> task.sched(Sched.defaults().nice(-1)));
        attempt(
                "real-time",
                null,
                UmhStage.SCHED,
                task -> task.sched(Sched.defaults().fifo(1)));
        attempt(
                "higher limits",
                null,
                UmhStage.RLIMIT,
                task -> task.limits(Limits.defaults().rlimit(Rlimit.MEMLOCK, -1)));
        attempt(
                "oom_score_adj",
                null,
                UmhStage.OOM_SCORE_ADJ,
                task -> task.limits(Limits.defaults().oomScoreAdj(-1)));
    }

    private void namespace(Namespace kind) throws InterruptedException {
        attempt("new " + kind.toString().toLowerCase(java.util.Locale.ROOT), null, UmhStage.UNSHARE, task -> {
            NamespaceSetup one = NamespaceSetup.defaults().unshare(kind);
            return task.namespaces(
                    kind == Namespace.USER ? one.mapSelf(JvmPrivileges.uid(), JvmPrivileges.gid()) : one);
        });
    }

    private void root() throws InterruptedException {
        attempt(
                "another root",
                null,
                UmhStage.ROOT,
                task -> task.fs(Fs.defaults().root("/")));
    }

    /** Creates a cgroup below the JVM's, starts a helper in it, and removes it. */
    private void cgroup() throws InterruptedException {
        Path own = ownCgroup();
        if (own == null) {
            report("a cgroup", "no cgroup2 is mounted");
            return;
        }
        File made = own.resolve("umh4j-doctor-" + ProcessHandle.current().pid() + "-" + CGROUPS.incrementAndGet())
                .toFile();
        if (!made.mkdir()) {
            report("a cgroup", "no directory can be made in " + own);
            return;
        }
        attempt(
                "a cgroup",
                null,
                UmhStage.CGROUP,
                task -> task.limits(Limits.defaults().cgroup(made.getPath())));
        for (int i = 0; i < 100 && !made.delete(); i++) { // EBUSY for a moment after its last process has ended
            Thread.sleep(5);
        }
    }

    private static @Nullable Path ownCgroup() {
        String mount = null;
        for (String line : ProcFile.read("/proc/self/mountinfo").split("\n")) {
            mount = mount == null && line.contains(" - cgroup2 ") ? line.split(" ")[4] : mount;
        }
        if (mount == null) {
            return null;
        }
        String group = ProcFile.read("/proc/self/cgroup")
                .lines()
                .filter(line -> line.startsWith("0::/"))
                .findFirst()
                .orElse("0::/");
        Path own = Path.of(mount, group.substring("0::".length()));
        return Files.isDirectory(own) ? own : Path.of(mount);
    }

    private void confinement() throws InterruptedException {
        Cred confined = Cred.defaults().noNewPrivs();
        attempt(
                "seccomp",
                null,
                UmhStage.SECCOMP,
                task -> task.cred(confined).sandbox(Sandbox.defaults().seccomp(ALLOW_ALL)));
        String none = Sandbox.landlockAbi() > 0 ? null : "this kernel has none, or it is not enabled";
        attempt(
                "landlock rules",
                none,
                UmhStage.LANDLOCK,
                task -> task.cred(confined)
                        .sandbox(Sandbox.defaults().landlock().readOnly("/")));
    }

    /** Starts a helper with an attribute, unless that is known to be impossible, and reports the result. */
    private void attempt(String subject, @Nullable String impossible, UmhStage stage, UnaryOperator<Task> with)
            throws InterruptedException {
        report(subject, impossible != null ? impossible : refusal(stage, with));
    }

    /** Returns the reason why the attribute is not permitted, or null. */
    private @Nullable String refusal(UmhStage stage, UnaryOperator<Task> with) throws InterruptedException {
        SubprocessInfo info = SubprocessInfo.of(probe.path(), new String[] {"probe", "exit", "0"}, new String[0]);
        try (Helper helper = UsermodeHelper.start(info.task(with.apply(Task.defaults())))) {
            WaitStatus end = helper.waitFor(TRIAL_TIMEOUT).orElse(WaitStatus.LOST);
            Set<UmhStage> unapplied = helper.unapplied();
            if (unapplied.contains(stage)) {
                return stage + " stays as this JVM has it";
            }
            return end.success() ? null : "it ended with " + end;
        } catch (IOException | RuntimeException e) {
            return reason(e);
        }
    }

    /** Returns the message without the path of the probe. */
    private String reason(Exception e) {
        return Main.message(e).replace(probe.path() + ": ", "");
    }

    private void report(String subject, @Nullable String because) {
        results.accept(
                because == null
                        ? new CheckResult(subject, CheckResult.State.YES, "yes", "")
                        : new CheckResult(subject, CheckResult.State.NO, "no, because " + because, ""));
    }

    /** Returns a mapped id that is not the JVM's: 65534, or the last one of a range. Negative if there is none. */
    private static long anotherId(String map, LongSupplier own) {
        long found = -1;
        for (String line : ProcFile.read(map).split("\n")) {
            String[] range = line.trim().split("\\s+");
            if (range.length == 3) {
                long first = Long.parseLong(range[0]);
                long last = first + Long.parseLong(range[2]) - 1;
                long candidate = first <= NOBODY && NOBODY <= last && own.getAsLong() != NOBODY
                        ? NOBODY
                        : Math.min(last, NOBODY - 1);
                if (candidate != own.getAsLong() && candidate >= first) {
                    found = candidate;
                }
            }
        }
        return ProcFile.read(map).isEmpty() ? NOBODY : found;
    }
}
