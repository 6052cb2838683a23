# SPDX-License-Identifier: Apache-2.0
# native.mk - what looks at the C without a JVM: sanitizers, fuzzing; and static analysis. Included by the Makefile.

# Inputs: SECONDS and SEED of make fuzz; EVERY of make faults: one of so many; ROUNDS of make sanitize.
SECONDS ?= 60
SEED ?= 1
EVERY ?= 1
ROUNDS ?= 20

NATIVE := src/main/native
HARNESS := target/harness
NATIVE_FLAGS := -std=gnu11 -D_GNU_SOURCE -I$(NATIVE) -I$(NATIVE)/include -I$(NATIVE)/launcher -Wall -Wextra -Werror
JNI_FLAGS = -I$(JDK)/include -I$(JDK)/include/linux
NATIVE_SOURCES := $(shell find $(NATIVE) -name '*.[ch]')
# The shim but for what needs JNI and what runs between clone and exec.
SHIM := $(addprefix $(NATIVE)/,umh.c umh_flight.c umh_launcher.c umh_memfd.c umh_outcome.c umh_reaper.c umh_report.c umh_send.c umh_socket.c umh_wait.c umh_blob.c)
LAUNCHER_ELF := target/classes/org/umh4j/internal/linux-$(subst aarch64,arm64,$(shell uname -m))/launcher.elf

.PHONY: fuzz sanitize faults pairs orders check musl

# A tool with the Debian package that brings it.
need = @command -v $(1) >/dev/null 2>&1 || { echo "missing: $(1): apt-get install $(2)" >&2; exit 1; }

# The child in the shared memory may call nothing, a sanitizer's run time least of all.
$(HARNESS)/umh_clone.o: $(NATIVE_SOURCES)
	@mkdir -p $(HARNESS)
	gcc -g -O1 $(NATIVE_FLAGS) -c -o $@ $(NATIVE)/umh_clone.c

HARNESS_SOURCES := $(wildcard test/harness/*.[ch])
SANITIZE = gcc -g -O1 $(NATIVE_FLAGS) -fsanitize=$* -fno-sanitize-recover=all

$(HARNESS)/shim-%: $(HARNESS_SOURCES) $(NATIVE_SOURCES) $(HARNESS)/umh_clone.o
	$(SANITIZE) -o $@ test/harness/shim.c test/harness/orders.c $(SHIM) $(HARNESS)/umh_clone.o -lpthread

# The launcher is played, and what would sleep or tell the time is asked of the player.
PLAYED := $(foreach call,poll usleep clock_gettime syscall,-Wl,--wrap=$(call))
$(HARNESS)/decide-%: $(HARNESS_SOURCES) $(NATIVE_SOURCES)
	@mkdir -p $(HARNESS)
	$(SANITIZE) $(PLAYED) -o $@ test/harness/decide.c test/harness/orders.c $(SHIM) -lpthread

$(HARNESS)/decide: $(HARNESS_SOURCES) $(NATIVE_SOURCES)
	@mkdir -p $(HARNESS)
	gcc -g -O1 $(NATIVE_FLAGS) $(PLAYED) -o $@ test/harness/decide.c test/harness/orders.c $(SHIM) -lpthread

orders: $(HARNESS)/decide ## plays every order of the events of a launch, on each way of waiting, against a model; a minute or two
	$(HARNESS)/decide $(EVERY)

# The launcher itself, but with libc and a sanitizer's run time around it.
$(HARNESS)/launcher-%: $(HARNESS_SOURCES) $(NATIVE_SOURCES)
	@mkdir -p $(HARNESS)/$*
	@for file in $(wildcard $(NATIVE)/launcher/*.c); do \
		$(SANITIZE) -c -o $(HARNESS)/$*/$$(basename $$file .c).o $$file || exit 1; done
	objcopy --redefine-sym _start=launcher_start $(HARNESS)/$*/launcher.o
	$(SANITIZE) -o $@ test/harness/launcher.c $(HARNESS)/$*/*.o
	gcc -O2 $(NATIVE_FLAGS) -DLAUNCHER='"$(CURDIR)/$@"' -ffreestanding -fno-stack-protector -fpie -nostdlib -static -no-pie \
		-Wl,-T,$(NATIVE)/launcher/launcher.ld -Wl,--build-id=none -Wl,-z,noexecstack -s -o $@.elf test/harness/stub.c

SANITIZERS := address undefined thread
sanitize: $(CLI) $(foreach s,$(SANITIZERS),$(HARNESS)/shim-$(s) $(HARNESS)/launcher-$(s) $(HARNESS)/decide-$(s)) ## runs shim and launcher without a JVM under ASan, UBSan and TSan
	@mkdir -p $(RECORDS); rm -f $(HARNESS)/log.*
	@printf '| the shim | alone | and the launcher |\n|---|---|---|\n' >$(HARNESS)/sanitize.md
	@for sanitizer in $(SANITIZERS); do \
		case $$sanitizer in address) name=ASAN ;; undefined) name=UBSAN ;; thread) name=TSAN ;; esac; \
		alone=$$($(HARNESS)/shim-$$sanitizer $(LAUNCHER_ELF) $(ROUNDS)) || exit 1; \
		both=$$(HARNESS_ENVIRONMENT=$${name}_OPTIONS=log_path=$(CURDIR)/$(HARNESS)/log \
			$(HARNESS)/shim-$$sanitizer $(HARNESS)/launcher-$$sanitizer.elf $(ROUNDS)) || \
			{ cat $(HARNESS)/log.* >&2 2>/dev/null; exit 1; }; \
		$(HARNESS)/decide-$$sanitizer 100003 8 >&2 || exit 1; \
		printf '| `-fsanitize=%s` | %s | %s |\n' $$sanitizer "$$alone" "$$both" >>$(HARNESS)/sanitize.md; \
	done
	@mv $(HARNESS)/sanitize.md $(RECORDS)/ && cat $(RECORDS)/sanitize.md

$(HARNESS)/faults: $(HARNESS_SOURCES) $(NATIVE_SOURCES) $(HARNESS)/umh_clone.o
	gcc -g -O1 $(NATIVE_FLAGS) -DUMH_FIRST_LOOK_MS=100 -o $@ $(addprefix test/harness/,faults.c trace.c calls.c orders.c) $(SHIM) $(HARNESS)/umh_clone.o

faults: $(CLI) $(HARNESS)/faults ## refuses each system call of a launch in turn, kills and stops at each; some ten minutes
	@mkdir -p $(RECORDS)
	$(HARNESS)/faults $(LAUNCHER_ELF) $(EVERY) >$(HARNESS)/faults.md
	@mv $(HARNESS)/faults.md $(RECORDS)/ && cat $(RECORDS)/faults.md

PAIRS ?= $(HARNESS)/pairs
$(PAIRS): $(HARNESS_SOURCES) $(NATIVE_SOURCES) $(HARNESS)/umh_clone.o
	gcc -g -O1 $(NATIVE_FLAGS) -o $@ $(addprefix test/harness/,pairs.c trace.c calls.c orders.c) $(SHIM) $(HARNESS)/umh_clone.o

$(HARNESS)/tiny: test/bench/tiny.c
	gcc -O2 -nostdlib -static -o $@ $<

pairs: $(CLI) $(PAIRS) $(HARNESS)/tiny ## refuses every two system calls of a launch at once; some ten minutes
	@mkdir -p $(RECORDS)
	$(HARNESS)/pairs $(LAUNCHER_ELF) $(HARNESS)/tiny $(EVERY) $(SEED) >$(HARNESS)/pairs.md
	@mv $(HARNESS)/pairs.md $(RECORDS)/ && cat $(RECORDS)/pairs.md

# Debian's compiler for musl has no headers of the kernel of its own.
MUSL = musl-gcc -g -O1 $(NATIVE_FLAGS) -idirafter /usr/include -idirafter /usr/include/$(shell gcc -print-multiarch)

$(HARNESS)/shim-musl: $(HARNESS_SOURCES) $(NATIVE_SOURCES)
	$(call need,musl-gcc,musl-tools)
	@mkdir -p $(HARNESS)
	$(MUSL) -o $@ test/harness/shim.c test/harness/orders.c $(SHIM) $(NATIVE)/umh_clone.c

$(HARNESS)/load-musl: test/musl/load.c $(NATIVE_SOURCES)
	$(call need,musl-gcc,musl-tools)
	@mkdir -p $(HARNESS)
	$(MUSL) $(JNI_FLAGS) -o $@ $<

musl: $(CLI) $(HARNESS)/shim-musl $(HARNESS)/load-musl ## loads the library of the jar in a process of musl, and builds the shim for it
	$(HARNESS)/load-musl $(dir $(LAUNCHER_ELF))libumh4j.so $(LAUNCHER_ELF)
	$(HARNESS)/shim-musl $(LAUNCHER_ELF) 20

# A header with room for one descriptor behind it is how ancillary data is built; clang calls that an extension.
$(HARNESS)/%_fuzz: test/fuzz/%_fuzz.c $(NATIVE_SOURCES) $(HARNESS)/umh_clone.o
	$(call need,clang,clang libclang-rt-dev)
	clang -g -O1 $(NATIVE_FLAGS) $(JNI_FLAGS) -Wno-gnu-variable-sized-type-not-at-end \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -o $@ $< \
		$(if $(filter plan,$*),$(NATIVE)/launcher/plan.c,$(SHIM) $(HARNESS)/umh_clone.o)

# What is new is kept below target; what is worth keeping goes to test/fuzz/corpus by hand.
fuzz: $(HARNESS)/plan_fuzz $(HARNESS)/report_fuzz $(HARNESS)/vectors_fuzz ## fuzzes plan, report and argument reader, SECONDS each, from SEED
	@mkdir -p $(RECORDS)
	@printf '| read by libFuzzer, with ASan and UBSan | inputs | seconds | seed | crashes |\n|---|---:|---:|---:|---:|\n' >$(HARNESS)/fuzz.md
	@for target in plan report vectors; do \
		mkdir -p $(HARNESS)/corpus/$$target && \
		$(HARNESS)/$${target}_fuzz -seed=$(SEED) -max_total_time=$(SECONDS) -max_len=8192 -verbosity=0 -print_final_stats=1 \
			-artifact_prefix=$(HARNESS)/ $(HARNESS)/corpus/$$target test/fuzz/corpus/$$target 2>$(HARNESS)/$$target.log || \
			{ cat $(HARNESS)/$$target.log; exit 1; }; \
		case $$target in plan) what="the launcher's plan reader" ;; report) what="the parent half, of what a launcher says" ;; \
			vectors) what="the bridge, of arguments and environment" ;; esac; \
		printf "| %s | %s | $(SECONDS) | $(SEED) | 0 |\n" "$$what" \
			"$$(sed -n 's/.*number_of_executed_units: *//p' $(HARNESS)/$$target.log)" >>$(HARNESS)/fuzz.md; \
	done
	@mv $(HARNESS)/fuzz.md $(RECORDS)/ && cat $(RECORDS)/fuzz.md

# gcc's analyser does not see that a part of the plan without length has no elements either, nor that a system call fills
# what it is given; clang's looks there too.
ANALYSE = gcc -fanalyzer -O2 $(NATIVE_FLAGS) -c -o /dev/null
check: $(HELD) $(NATIVE_SOURCES) ## looks for defects without running anything: gcc -fanalyzer, clang-tidy, Error Prone with NullAway; japicmp against the last tag
	$(call need,clang-tidy,clang-tidy)
	@for file in $(wildcard $(NATIVE)/*.c); do $(ANALYSE) $(JNI_FLAGS) $$file || exit 1; done
	@for file in $(wildcard $(NATIVE)/launcher/*.c); do \
		$(ANALYSE) -Wno-analyzer-null-dereference -Wno-analyzer-use-of-uninitialized-value -ffreestanding -fno-stack-protector $$file || exit 1; done
	@clang-tidy --quiet $(wildcard $(NATIVE)/*.c $(NATIVE)/launcher/*.c) -- $(NATIVE_FLAGS) \
		-Wno-gnu-variable-sized-type-not-at-end $(JNI_FLAGS)
	$(MVN) -q compile -Panalyse
	@.ci/compare
