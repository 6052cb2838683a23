// SPDX-License-Identifier: Apache-2.0
package org.umh4j.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.umh4j.SysctlReplay;
import org.umh4j.UmhSysctl;
import org.umh4j.conformance.FieldComparison.Verdict;
import org.umh4j.support.Jvm;
import org.umh4j.support.Report;

/**
 * Runs in a guest: lets the guest's kernel start helpers and make calls, does the same by umh4j, compares, and prints a
 * line for each comparison. The host makes tables of these lines.
 *
 * <p>Argument: MAIN; ODD if pid 1 has changed attributes; or LIMITS for restrictions.
 */
public final class Guest {
    private static final Path RECORDS = Path.of("/records");
    /** The host ends a boot that hangs. */
    private static final Duration PATIENCE = Duration.ofHours(1);

    private static final Path BSET = Path.of("/proc/sys/kernel/usermodehelper/bset");
    private static final Path INHERITABLE = Path.of("/proc/sys/kernel/usermodehelper/inheritable");
    private static final List<String> TRIGGERS =
            List.of("modprobe", "core", "request_key", "bridge_stp", "release_agent");

    private final Programs programs = Programs.inGuest();
    private final GuestKernel kernel = new GuestKernel(programs);

    private Guest() throws IOException {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Files.createDirectories(RECORDS);
        Guest guest = new Guest();
        switch (arguments[0]) {
            case "MAIN" -> guest.main();
            case "ODD" -> guest.odd();
            case "LIMITS" -> guest.limits();
            default -> throw new IllegalArgumentException(arguments[0]);
        }
        print("done", arguments[0]);
        System.exit(0);
    }

    /** Prints a line for the host. */
    static void print(String kind, String text) {
        System.out.println("@@" + kind + " " + text.replace("\n", "\\n"));
    }

    private void main() throws IOException, InterruptedException {
        record("default", false, TRIGGERS);
        record("caller_odd", true, List.of("modprobe", "core"));
        moduleHelpers();
        compare(List.of(Setting.UNCHANGED, Setting.ODD, Setting.LOGGED_IN, Setting.RAISED_OOM_SCORE));
        calls();
        policy(Policy.FEW, "bset_few");
        policy(Policy.FEW_INHERITABLE_NONE, "bset_few_inh0");
        compare(List.of(Setting.FEW_CAPABILITIES, Setting.FEW_AND_NONE_INHERITABLE));
        policy(Policy.NONE, "bset0_inh0");
        compare(List.of(Setting.NO_CAPABILITIES));
    }

    private void odd() throws IOException, InterruptedException {
        record("pid1_odd", false, TRIGGERS);
        compare(List.of(Setting.UNCHANGED));
        policy(Policy.INHERITABLE_NONE, "inh0");
        compare(List.of(Setting.NONE_INHERITABLE));
        writes();
    }

    private void limits() throws IOException, InterruptedException {
        Files.createDirectories(Path.of("/dev/shm"));
        record("default", false, List.of("modprobe"));
        GuestCgroup.enableControllers();
        for (GuestCgroup.Case example : GuestCgroup.CASES) {
            String found = example.found(programs);
            print("group", example.name() + " | " + found + " |");
            compare(example.name(), example.expected(), found);
        }
        for (GuestLimit limit : GuestLimit.LIMITS) {
            GuestLimit.Outcome outcome = limit.examine(RECORDS);
            print("limit", outcome.row());
            outcome.seen().forEach(row -> print("seen", row));
            outcome.failures().forEach(failure -> print("failure", failure));
        }
    }

    private void policy(Policy policy, String name) throws IOException, InterruptedException {
        if (!policy.bset().isEmpty()) {
            GuestKernel.write(BSET, policy.bset());
        }
        if (!policy.inheritable().isEmpty()) {
            GuestKernel.write(INHERITABLE, policy.inheritable());
        }
        record(name, false, TRIGGERS);
    }

    /** Lets the kernel start its helpers, and records their reports. */
    private void record(String name, boolean oddCaller, List<String> triggers)
            throws IOException, InterruptedException {
        programs.setCommands("/probe");
        for (String trigger : triggers) {
            save(name + "." + trigger, kernel.helper(trigger, oddCaller));
        }
    }

    /** The helpers of a module's call, in the three wait modes. */
    private void moduleHelpers() throws IOException, InterruptedException {
        for (int wait : List.of(0, 1, 2)) {
            save("umh.wait" + wait, kernel.moduleHelper(wait));
        }
    }

    private static void save(String name, Report report) throws IOException {
        Files.writeString(RECORDS.resolve(name + ".json"), report.root().toString());
        print("record", name + " " + report.root());
        for (String difference : Recordings.differences(System.getProperty("os.version"), name, report)) {
            print("failure", "recording of " + difference);
        }
    }

    /** Starts the same helpers by umh4j, in a new JVM for each setting, since a policy lasts as long as the JVM. */
    private static void compare(List<Setting> settings) throws IOException, InterruptedException {
        Host host = Host.inspect(Programs.inGuest());
        for (Setting setting : settings) {
            if (!setting.isPossible(host)) {
                print("impossible", setting.name());
                continue;
            }
            int documented = 0;
            int failed = 0;
            for (SettingRun.Line line : SettingRun.parse(quick(setting.jvm())
                    .run(SettingRun.class, setting.name(), RECORDS.toString())
                    .requireSuccess())) {
                if (line.field().verdict() == Verdict.FAILURE) {
                    failed++;
                    print("failure", setting + " " + line.field());
                } else {
                    documented++;
                    print("seen", line.field().row());
                }
            }
            print("fields", setting + " " + fields(setting) + " " + documented + " " + failed);
        }
    }

    /** Emulation is slow. The archive of classes is in the working directory. */
    static Jvm quick(Jvm jvm) {
        return jvm.shortLived().option("-XX:SharedArchiveFile=app.jsa").limit(PATIENCE);
    }

    private static int fields(Setting setting) throws IOException {
        return SettingRun.chosen(setting, Recordings.helpers(RECORDS)).stream()
                .mapToInt(scenario -> scenario.report().flat().size())
                .sum();
    }

    /** Each recorded call by this kernel's module, and by umh4j. */
    private void calls() throws IOException, InterruptedException {
        CallReplay replay = new CallReplay(programs);
        int count = 0;
        for (Call call : Recordings.calls(Recordings.KERNELS.get(0))) {
            if (call.isCall()) {
                CallReplay.Result expected = kernel.result(call);
                count += compare(call.name(), CallReplay.Result.expected(expected), replay.result(call));
                compare("recording of " + call.name(), CallReplay.Result.recorded(call), expected);
            }
        }
        print("calls", Integer.toString(count));
    }

    /** Each recorded write to the file, and to the policy of this JVM, which has begun with the file's value. */
    private void writes() throws IOException, InterruptedException {
        int count = 0;
        for (SysctlWrite write : Recordings.writes(Recordings.KERNELS.get(0))) {
            if (!write.isAtOffset()) {
                String data = write.data();
                int result = write.isOfManyBlanks()
                        ? GuestKernel.writeBlanks(BSET, data.length())
                        : GuestKernel.writeResult(BSET, data);
                SysctlReplay.Result expected = new SysctlReplay.Result(result, GuestKernel.read(BSET));
                SysctlReplay.Result actual = new SysctlReplay.Result(
                        UmhSysctl.writeBset(data), UmhSysctl.bset().toSysctlText());
                count += compare("sysctl " + write, expected, actual);
                compare("recording of " + write, write.expected().result(), expected.result());
            }
        }
        print("writes", Integer.toString(count));
    }

    private static int compare(String what, Object expected, Object actual) {
        if (!expected.equals(actual)) {
            print("failure", what + ": expected " + expected + ", was " + actual);
            return 0;
        }
        return 1;
    }
}
