// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.io.IOException;
import java.util.List;
import org.umh4j.HelperProbe;
import org.umh4j.SubprocessInfo;
import org.umh4j.task.Cred;
import org.umh4j.task.Task;
import picocli.CommandLine.ArgGroup;

/** All options for a helper, in groups: {@code exec}, {@code probe} and {@code driver} share them. */
final class HelperOptions {
    @ArgGroup(validate = false, order = 1, heading = "%nCall:%n")
    CallOptions call = new CallOptions();

    @ArgGroup(validate = false, order = 2, heading = "%nIdentity:%n")
    private IdentityOptions identity = new IdentityOptions();

    @ArgGroup(validate = false, order = 3, heading = "%nCapabilities:%n")
    private CapabilityOptions capabilities = new CapabilityOptions();

    @ArgGroup(validate = false, order = 4, heading = "%nDirectories:%n")
    private DirectoryOptions directories = new DirectoryOptions();

    @ArgGroup(validate = false, order = 5, heading = "%nDescriptors:%n")
    DescriptorOptions descriptors = new DescriptorOptions();

    @ArgGroup(validate = false, order = 6, heading = "%nLimits:%n")
    private LimitOptions limits = new LimitOptions();

    @ArgGroup(validate = false, order = 7, heading = "%nScheduling:%n")
    private SchedulingOptions scheduling = new SchedulingOptions();

    @ArgGroup(validate = false, order = 8, heading = "%nNamespaces:%n")
    private NamespaceOptions namespaces = new NamespaceOptions();

    @ArgGroup(validate = false, order = 9, heading = "%nSandbox:%n")
    private SandboxOptions sandbox = new SandboxOptions();

    @ArgGroup(validate = false, order = 10, heading = "%nSignals and session:%n")
    private SessionOptions session = new SessionOptions();

    @ArgGroup(validate = false, order = 11, heading = "%nPolicy:%n")
    PolicyOptions policy = new PolicyOptions();

    @ArgGroup(validate = false, order = 12, heading = "%nRefused stages:%n")
    UnappliedOptions unapplied = new UnappliedOptions();

    /** Returns a call of this program, under the policy. */
    SubprocessInfo setUp(String path, List<String> arguments) throws IOException {
        policy.narrow();
        return SubprocessInfo.of(CommandLineBytes.bytes(path, "path"), call.argv(path, arguments), call.environment())
                .task(task(defaultSource()));
    }

    /** Returns the report of a helper with these options, as JSON. */
    String report(HelperProbe probe) throws IOException, InterruptedException {
        policy.narrow();
        return probe.report(task(defaultSource()), call.argv(probe.path(), List.of())[0], List.of(call.environment()));
    }

    private DescriptorSource defaultSource() {
        return call.kernel ? DescriptorSource.ABSENT : DescriptorSource.INHERITED;
    }

    /**
     * Returns the task of the helper.
     *
     * @param defaultSource the source of the standard descriptors that no option names
     */
    Task task(DescriptorSource defaultSource) throws IOException {
        Task task = Task.defaults()
                .cred(capabilities.applyTo(identity.applyTo(Cred.defaults())))
                .fs(directories.fs())
                .descriptors(descriptors.descriptors(defaultSource))
                .limits(limits.limits())
                .sched(scheduling.sched())
                .namespaces(namespaces.namespaces())
                .sandbox(sandbox.sandbox())
                .signals(session.signals())
                .session(session.session());
        return unapplied.applyTo(call.applyTo(task));
    }
}
