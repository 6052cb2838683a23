// SPDX-License-Identifier: Apache-2.0
package org.umh4j;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.umh4j.task.PlanWriter;

/** The directions in which packages and classes depend on each other, as each {@code package-info} states them. */
@AnalyzeClasses(packages = "org.umh4j", importOptions = ImportOption.DoNotIncludeTests.class)
final class PackagesTest {
    private static final String LINUX = "org.umh4j.linux";
    private static final String INTERNAL = "org.umh4j.internal";
    private static final String TASK = "org.umh4j.task";
    private static final String CALLS = "org.umh4j";
    private static final String CLI = "org.umh4j.cli";

    /** The classes of a call from {@code exec} to the native methods, the caller before the called. */
    private static final List<String> WALK = List.of(
            "org.umh4j.UsermodeHelper",
            "org.umh4j.Execution",
            "org.umh4j.Launcher",
            "org.umh4j.task.PlanWriter",
            "org.umh4j.internal.LaunchResult",
            "org.umh4j.internal.Native");

    private static DescribedPredicate<JavaClass> ours() {
        return resideInAPackage("org.umh4j..");
    }

    private static ArchRule onlyImports(String importer, String... imported) {
        String[] allowed =
                Stream.concat(Stream.of(importer), Arrays.stream(imported)).toArray(String[]::new);
        return noClasses()
                .that()
                .resideInAPackage(importer)
                .should()
                .dependOnClassesThat(ours().and(DescribedPredicate.not(resideInAnyPackage(allowed))));
    }

    @ArchTest
    static final ArchRule linuxImportsNoOtherPackage = onlyImports(LINUX);

    @ArchTest
    static final ArchRule internalImportsLinuxAlone = onlyImports(INTERNAL, LINUX);

    @ArchTest
    static final ArchRule taskImportsLinuxAndInternal = onlyImports(TASK, LINUX, INTERNAL);

    @ArchTest
    static final ArchRule callsDoNotImportTheCommandLine = onlyImports(CALLS, LINUX, INTERNAL, TASK);

    @ArchTest
    static final ArchRule commandLineImportsPublicPackagesAlone = onlyImports(CLI, CALLS, TASK, LINUX);

    @ArchTest
    static final ArchRule packagesHaveNoCircle =
            slices().matching("org.umh4j.(*)..").should().beFreeOfCycles();

    /** PlanWriter is public for the package of calls, which hands it internal values. */
    @ArchTest
    static final ArchRule exportedSignaturesHaveNoInternalType = classes()
            .that()
            .resideInAnyPackage(CALLS, TASK, LINUX)
            .and()
            .doNotBelongToAnyOf(PlanWriter.class)
            .should(new ArchCondition<JavaClass>("have no type of " + INTERNAL + " in what users see") {
                @Override
                public void check(JavaClass owner, ConditionEvents events) {
                    if (!isVisible(owner)) {
                        return;
                    }
                    owner.getMembers().stream()
                            .filter(member -> isVisible(member.getModifiers()))
                            .filter(member -> types(member)
                                    .anyMatch(type -> type.getPackageName().equals(INTERNAL)))
                            .forEach(member -> events.add(SimpleConditionEvent.violated(member, member.getFullName())));
                    supertypes(owner)
                            .filter(type -> type.getPackageName().equals(INTERNAL))
                            .forEach(type -> events.add(
                                    SimpleConditionEvent.violated(owner, owner.getName() + " is a " + type.getName())));
                }
            });

    private static Stream<JavaClass> supertypes(JavaClass owner) {
        return Stream.concat(owner.getRawSuperclass().stream(), owner.getRawInterfaces().stream());
    }

    private static boolean isVisible(JavaClass owner) {
        boolean outer = owner.getEnclosingClass().map(PackagesTest::isVisible).orElse(true);
        return outer && isVisible(owner.getModifiers());
    }

    private static boolean isVisible(Set<JavaModifier> modifiers) {
        return modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED);
    }

    /** The types of the signature, those in type arguments among them. */
    private static Stream<JavaClass> types(JavaMember member) {
        Stream<JavaClass> thrown =
                member instanceof JavaCodeUnit unit ? unit.getThrowsClause().getTypes().stream() : Stream.empty();
        return Stream.concat(thrown, member.getAllInvolvedRawTypes().stream());
    }

    /** A nested class counts with its outer class. Circles between types of the API are allowed by name. */
    @ArchTest
    static final ArchRule classesHaveNoCircle = slices().assignedFrom(new SliceAssignment() {
                @Override
                public SliceIdentifier getIdentifierOf(JavaClass type) {
                    return Set.of(LINUX, INTERNAL, TASK, CALLS).contains(type.getPackageName())
                            ? SliceIdentifier.of(outermost(type))
                            : SliceIdentifier.ignore();
                }

                @Override
                public String getDescription() {
                    return "classes of the library";
                }
            })
            .should()
            .beFreeOfCycles()
            // init() is given its call, as subprocess_info.init of the kernel is.
            .ignoreDependency(named("org.umh4j.CredInit"), named("org.umh4j.SubprocessInfo"))
            // A result throws itself; the exception carries it.
            .ignoreDependency(named("org.umh4j.RunResult"), named("org.umh4j.HelperFailedException"))
            // Two views of a helper that it hands out, as ProcessHandle and as Process.
            .ignoreDependency(named("org.umh4j.HelperHandle"), named("org.umh4j.Helper"))
            .ignoreDependency(named("org.umh4j.HelperProcess"), named("org.umh4j.Helper"));

    private static String outermost(JavaClass type) {
        String name = type.getName();
        return name.contains("$") ? name.substring(0, name.indexOf('$')) : name;
    }

    private static DescribedPredicate<JavaClass> named(String name) {
        return describe(name, type -> outermost(type).equals(name));
    }

    @ArchTest
    static void walkFromExecToExecveOnlyGoesDown(JavaClasses classes) {
        for (int i = 1; i < WALK.size(); i++) {
            List<String> above = WALK.subList(0, i);
            String name = WALK.get(i);
            noClasses()
                    .that(named(name))
                    .should()
                    .dependOnClassesThat(describe("are above it", type -> above.contains(outermost(type))))
                    .check(classes);
        }
    }
}
