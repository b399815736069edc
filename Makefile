# The commands that people type. Everything behind them is a Rust program or a Helm chart of this repository.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test check unit e2e images cluster cluster-down testbed demo-check demo-program generate setup
.PHONY: bench fuzz

# Images are linked statically; naming the target keeps the flag away from build scripts and procedural macros.
HOST_TARGET := $(shell rustc -vV | sed -n 's/^host: //p')
STATIC := target/$(HOST_TARGET)/release
STEP := ./tests/step
# What can be missing is looked for first, before anything compiles for minutes.
DEMO_PLACE := $(if $(DEMO_CLUSTER),demo-check,cluster)
RUST_SOURCES := $(shell git ls-files '*.rs' '*.toml' Cargo.lock)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

demo: $(DEMO_PLACE) images demo-program ## the whole product on a real cluster: store and fetch through a firewall
	@target/debug/demo

demo-check: demo-program # whether a cluster that is there already (DEMO_CLUSTER=current) has what the demo needs
	@target/debug/demo --check

demo-program: setup
	@$(STEP) "the demo's program" cargo build --locked -p safetp-e2e --bin demo

test: check unit e2e ## every test: style, units, charts, and the whole product on a real cluster

check: setup ## style, spelling, documentation, licences; unit tests compare generated files
	@$(STEP) "formatting" cargo fmt --all --check
	@$(STEP) --show "rules of the house" cargo run --locked -p safetp-house
	@$(STEP) "spelling" ./tests/linter typos
	@$(STEP) "Markdown" ./tests/linter rumdl check .
	@$(STEP) "lints" cargo clippy --workspace --all-targets --locked -- -D warnings
	@RUSTDOCFLAGS="-D warnings" $(STEP) "documentation" \
	  cargo doc --workspace --no-deps --document-private-items --locked
	@$(STEP) "shell scripts" shellcheck $$(git grep --name-only --extended-regexp '^#!.*sh$$')
	@$(STEP) "licences and sources" ./tests/cargo-deny

unit: setup ## the tests that need no cluster
	@$(STEP) --show "unit tests" cargo test --workspace --exclude safetp-e2e --locked
	@$(STEP) --show "fuzzers, briefly" ./tests/fuzz/run 1

e2e: images cluster ## the tests on the real cluster
	@target/debug/testbed registry
	@$(STEP) "the client" cargo build -p safetp-client --locked
	@$(STEP) --show "charts" ./tests/charts
	@RUST_BACKTRACE=0 $(STEP) --show "tests on the cluster" \
	  cargo test -p safetp-e2e --locked --no-fail-fast -- --test-threads=4

images: target/images/.built ## target/images/*.tar, for docker, podman, kind and ctr

target/images/.built: $(RUST_SOURCES) | setup
	@RUSTFLAGS="-C target-feature=+crt-static" $(STEP) "images: static binaries" \
	  cargo build --release --locked --target $(HOST_TARGET) -p safetp-operator -p safetp-sidecar -p safetp-ftpd
	@$(STEP) "images: packing" cargo run --locked -p safetp-images -- --binaries $(STATIC) --out target/images
	@touch $@

cluster: testbed ## a real Kubernetes in network namespaces: target/testbed/kubeconfig
	@target/debug/testbed up

cluster-down: testbed ## removes it: no process, mount, namespace or cgroup stays
	@target/debug/testbed down

testbed: setup # the program that starts and ends the cluster
	@$(STEP) "the test bed's program" cargo build --locked -p safetp-testbed --bin testbed

generate: ## writes the CRDs and their reference pages from the Rust types
	@cargo --quiet run -p safetp-crds --bin crdgen

bench: setup ## SafeTP beside pure-ftpd and vsftpd, about five minutes: docs/performance.md
	@$(STEP) "release binaries" cargo build --release --locked -p safetp-sidecar -p safetp-ftpd -p safetp-bench
	@target/release/safetp-bench --page docs/performance.md

fuzz: setup ## every fuzzer for FUZZ_SECONDS (300) each
	@./tests/fuzz/run $(or $(FUZZ_SECONDS),300)

setup: # what building needs and a bare machine lacks
	@./tests/setup
