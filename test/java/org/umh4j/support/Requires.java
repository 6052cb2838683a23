// SPDX-License-Identifier: Apache-2.0
package org.umh4j.support;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.lang.reflect.AnnotatedElement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Marks a test that is skipped, with the reason, where the host lacks what it needs. */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(Requires.Condition.class)
public @interface Requires {
    Need[] value();

    /** Asks the host. The first need that is not met is the reason. */
    final class Condition implements ExecutionCondition {
        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            return context.getElement().map(Condition::needs).orElse(List.of()).stream()
                    .filter(need -> !need.isMet())
                    .findFirst()
                    .map(need -> ConditionEvaluationResult.disabled(need.reason()))
                    .orElseGet(() -> ConditionEvaluationResult.enabled("nothing is missing"));
        }

        private static List<Need> needs(AnnotatedElement element) {
            List<Need> needs = new ArrayList<>();
            if (element.isAnnotationPresent(RequiresRoot.class)) {
                needs.add(Need.ROOT);
            }
            if (element.isAnnotationPresent(Requires.class)) {
                needs.addAll(List.of(element.getAnnotation(Requires.class).value()));
            }
            return needs;
        }
    }
}
