// SPDX-License-Identifier: Apache-2.0
package org.umh4j.cli;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.umh4j.SubprocessInfo;
import org.umh4j.linux.UmhStage;
import org.umh4j.task.Task;
import picocli.CommandLine.Option;

/** The options for stages that the host may refuse. */
final class UnappliedOptions {
    @Option(
            names = "--allow-unapplied",
            paramLabel = "STAGE,STAGE",
            split = ",",
            hideParamSyntax = true,
            converter = StageConverter.class,
            completionCandidates = StageConverter.class,
            description = "Stages that the host may refuse, such as nice or keyring. The helper then starts with umh's"
                    + " attribute, and umh prints no warning.")
    private List<Stages> allowed = new ArrayList<>();

    @Option(
            names = "--require-applied",
            paramLabel = "STAGE,STAGE|all",
            split = ",",
            hideParamSyntax = true,
            converter = StageConverter.class,
            completionCandidates = StageConverter.class,
            description = "Stages that must be applied even if no option needs them.")
    private List<Stages> required = new ArrayList<>();

    Task applyTo(Task task) {
        Task with = task.allowUnapplied(all(allowed).toArray(UmhStage[]::new));
        return required.isEmpty() ? with : with.requireApplied(all(required).toArray(UmhStage[]::new));
    }

    /** Prints the stages that were not applied, without those that were allowed to be. */
    void warn(SubprocessInfo info) {
        Set<UmhStage> unapplied = EnumSet.noneOf(UmhStage.class);
        unapplied.addAll(info.unapplied());
        unapplied.removeAll(all(allowed));
        if (!unapplied.isEmpty()) {
            System.err.println("umh: " + info.path() + ": not applied, so the helper has umh's: " + unapplied);
        }
    }

    private static Set<UmhStage> all(List<Stages> some) {
        Set<UmhStage> all = EnumSet.noneOf(UmhStage.class);
        for (Stages one : some) {
            all.addAll(one.stages());
        }
        return all;
    }

    /** One stage, or all of them. */
    record Stages(Set<UmhStage> stages) {}

    /** The name of a stage that may stay unapplied, with {@code _} or {@code -}, or {@code all}. */
    static final class StageConverter extends ValueConverter<Stages> {
        @Override
        Stages parse(String text) {
            Set<UmhStage> optional = Task.optionalStages();
            if (text.equals("all")) {
                return new Stages(optional);
            }
            return new Stages(Set.of(EnumNames.parse(optional, text, "stage that may stay unapplied")));
        }

        @Override
        List<String> candidates() {
            return EnumNames.of(Task.optionalStages());
        }
    }
}
