// SPDX-License-Identifier: Apache-2.0
package org.umh4j.internal;

import java.lang.annotation.ElementType;
import java.lang.annotation.Target;

/** May be null; what does not bear this never is. For the analyser of {@code make check}, which knows it by its name. */
@Target({ElementType.FIELD, ElementType.METHOD, ElementType.PARAMETER})
public @interface Nullable {}
