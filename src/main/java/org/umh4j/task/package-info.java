// SPDX-License-Identifier: Apache-2.0

/**
 * What a helper is born with: {@link org.umh4j.task.Task} and its parts, each one an immutable value.
 *
 * <p>Begin with {@code defaults()}, which every part has, and change one attribute at a time. A part knows no call, no
 * listener and no result; {@code PlanWriter} writes all of them as one plan for the launcher.
 *
 * <p>Packages {@code org.umh4j} and {@code org.umh4j.cli} import this one. It imports {@code org.umh4j.linux} and
 * {@code org.umh4j.internal}.
 */
@NullMarked
package org.umh4j.task;

import org.jspecify.annotations.NullMarked;
