# `make demo` shows a site at work, `make test` checks everything, `make soak` the same at length,
# `make bench` measures.

# Debian's toolchain stands in where none on the PATH is new enough (see tests/setup). Cargo finds
# its compiler on the PATH, so that Debian's must come first there.
WANTED := $(shell sed -n 's/^rust-version = "1\.\([0-9]*\)".*/\1/p' Cargo.toml)
NEW_ENOUGH = v=$$($(1) --version 2>/dev/null | sed 's/^cargo 1\.\([0-9]*\).*/\1/'); [ "$${v:-0}" -ge $(WANTED) ]
CARGO = $$(if $(call NEW_ENOUGH,cargo); then echo cargo; else echo env PATH=/usr/bin:$$PATH cargo; fi)

export PATH := $(PATH):/usr/sbin:/usr/local/sbin

.PHONY: demo test bench soak arm64 fuzz setup

# As they are, whatever characters they have; the shell of a recipe must not read them again.
export FOOTAGE OFFLINE PICTURES APPROACHES

setup:
	@tests/setup build

demo: setup
	@$(CARGO) build --release --quiet --workspace --bins
	@target/release/demo $(if $(FOOTAGE),--footage="$$FOOTAGE") $(if $(filter 1,$(ONCE)),--once) \
		$(if $(OFFLINE),--offline="$$OFFLINE")

test:
	@tests/setup test
	@tests/setup image
	@tests/setup bare
	$(CARGO) fmt --check
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --quiet
	CARGO="$(CARGO)" firmware-protocol/build-bare
	$(CARGO) build --workspace --bins --features cloud-sync/test-clock --quiet
	$(CARGO) test --workspace --features cloud-sync/test-clock --no-fail-fast

bench: setup
	@$(CARGO) build --release --quiet --workspace --bins
	@$(CARGO) bench --quiet --workspace --bench recognise $(if $(PICTURES),-- "$$PICTURES")
	@$(CARGO) bench --quiet --workspace --bench vote $(if $(APPROACHES),-- "$$APPROACHES")
	@$(if $(PICTURES),python3 tests/readers/compare.py "$$PICTURES")
	@$(CARGO) bench --quiet --workspace --bench journal
	@$(CARGO) bench --quiet --workspace --bench permits
	@$(CARGO) bench --quiet --workspace --bench controllers
	@$(CARGO) bench --quiet --workspace --bench chargers
	@$(CARGO) bench --quiet --workspace --bench lockers
	@$(CARGO) bench --quiet --workspace --bench gate
	@$(CARGO) bench --quiet --workspace --bench faces
	@$(CARGO) bench --quiet --workspace --bench fleet

# The fault tests for longer: SECONDS of each.
soak: setup
	$(CARGO) build --workspace --bins --features cloud-sync/test-clock --quiet
	@CARGO="$(CARGO)" tests/soak $(or $(SECONDS),600)

# Recognition on an emulated 64-bit ARM processor, compared with this one.
arm64:
	@tests/setup arm64
	@tests/arm64/run $(if $(PICTURES),"$$PICTURES")

# Each fuzz target for SECONDS; what it finds worth keeping is added to the corpus.
fuzz:
	@tests/setup fuzz
	@firmware-protocol/fuzz/run $(or $(SECONDS),330)
