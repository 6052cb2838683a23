# SPDX-License-Identifier: Apache-2.0
# native.mk - what looks at the C without a JVM: sanitizers, fuzzing; and static analysis. Included by the Makefile.

# Inputs: SECONDS and SEED of make fuzz.
SECONDS ?= 60
SEED ?= 1

NATIVE := src/main/native
HARNESS := target/harness
NATIVE_FLAGS := -std=gnu11 -D_GNU_SOURCE -I$(NATIVE) -I$(NATIVE)/include -I$(NATIVE)/launcher -Wall -Wextra -Werror
JNI_FLAGS = -I$(JDK)/include -I$(JDK)/include/linux
NATIVE_SOURCES := $(shell find $(NATIVE) -name '*.[ch]')
# The shim but for what needs JNI and what runs between clone and exec.
SHIM := $(addprefix $(NATIVE)/,umh.c umh_launcher.c umh_memfd.c umh_reaper.c umh_send.c umh_socket.c umh_wait.c umh_blob.c)
LAUNCHER_ELF := target/classes/org/umh4j/internal/linux-x86_64/launcher.elf

.PHONY: fuzz sanitize check

# A tool with the Debian package that brings it.
need = @command -v $(1) >/dev/null 2>&1 || { echo "missing: $(1): apt-get install $(2)" >&2; exit 1; }

# The child in the shared memory may call nothing, a sanitizer's run time least of all.
$(HARNESS)/umh_clone.o: $(NATIVE_SOURCES)
	@mkdir -p $(HARNESS)
	gcc -g -O1 $(NATIVE_FLAGS) -c -o $@ $(NATIVE)/umh_clone.c

$(HARNESS)/shim-%: test/harness/shim.c $(NATIVE_SOURCES) $(HARNESS)/umh_clone.o
	gcc -g -O1 $(NATIVE_FLAGS) -fsanitize=$* -fno-sanitize-recover=all -o $@ $< $(SHIM) $(HARNESS)/umh_clone.o -lpthread

sanitize: $(CLI) $(HARNESS)/shim-address $(HARNESS)/shim-undefined $(HARNESS)/shim-thread ## runs the shim without a JVM under ASan, UBSan and TSan
	for program in address undefined thread; do $(HARNESS)/shim-$$program $(LAUNCHER_ELF) 20 || exit 1; done

# A header with room for one descriptor behind it is how ancillary data is built; clang calls that an extension.
$(HARNESS)/%_fuzz: test/fuzz/%_fuzz.c $(NATIVE_SOURCES) $(HARNESS)/umh_clone.o
	$(call need,clang,clang libclang-rt-dev)
	clang -g -O1 $(NATIVE_FLAGS) $(JNI_FLAGS) -Wno-gnu-variable-sized-type-not-at-end \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -o $@ $< \
		$(if $(filter plan,$*),$(NATIVE)/launcher/plan.c,$(SHIM) $(HARNESS)/umh_clone.o)

# What is new is kept below target; what is worth keeping goes to test/fuzz/corpus by hand.
fuzz: $(HARNESS)/plan_fuzz $(HARNESS)/report_fuzz $(HARNESS)/vectors_fuzz ## fuzzes plan, report and argument reader, SECONDS each, from SEED
	@for target in plan report vectors; do \
		mkdir -p $(HARNESS)/corpus/$$target && \
		$(HARNESS)/$${target}_fuzz -seed=$(SEED) -max_total_time=$(SECONDS) -max_len=8192 -verbosity=0 -print_final_stats=1 \
			-artifact_prefix=$(HARNESS)/ $(HARNESS)/corpus/$$target test/fuzz/corpus/$$target 2>$(HARNESS)/$$target.log || \
			{ cat $(HARNESS)/$$target.log; exit 1; }; \
		echo "$$target: $$(sed -n 's/.*number_of_executed_units: *//p' $(HARNESS)/$$target.log) inputs, none wrong"; \
	done

# gcc's analyser does not see that a part of the plan without length has no elements either; clang's looks there too.
ANALYSE = gcc -fanalyzer -O2 $(NATIVE_FLAGS) -c -o /dev/null
check: $(NATIVE_SOURCES) ## looks for defects without running anything: gcc -fanalyzer, clang-tidy, Error Prone with NullAway
	$(call need,clang-tidy,clang-tidy)
	@for file in $(wildcard $(NATIVE)/*.c); do $(ANALYSE) $(JNI_FLAGS) $$file || exit 1; done
	@for file in $(wildcard $(NATIVE)/launcher/*.c); do \
		$(ANALYSE) -Wno-analyzer-null-dereference -ffreestanding -fno-stack-protector $$file || exit 1; done
	@clang-tidy --quiet $(wildcard $(NATIVE)/*.c $(NATIVE)/launcher/*.c) -- $(NATIVE_FLAGS) \
		-Wno-gnu-variable-sized-type-not-at-end $(JNI_FLAGS)
	$(MVN) -q compile -Panalyse
