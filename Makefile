# The commands that people type. Everything behind them is a Rust program or a Helm chart of this repository.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test check unit e2e images cluster cluster-down generate setup bench fuzz

# Images are linked statically; naming the target keeps the flag away from build scripts and procedural macros.
HOST_TARGET := $(shell rustc -vV | sed -n 's/^host: //p')
STATIC := target/$(HOST_TARGET)/release
CARGO := cargo --quiet
RUST_SOURCES := $(shell git ls-files '*.rs' '*.toml' Cargo.lock)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

demo: images ## the whole product on a real cluster: install, serve, store and fetch through a firewall
	@$(CARGO) run -p safetp-e2e --bin demo

test: check unit e2e ## every test: style, units, charts, and the whole product on a real cluster

check: setup ## style, generated files, charts, licences
	@./tests/step "formatting" cargo fmt --all --check
	@./tests/step "lints" cargo clippy --workspace --all-targets --locked -- -D warnings
	@./tests/step "generated files" cargo run --quiet -p safetp-crds --bin crdgen -- --check
	@./tests/step "licences and sources" ./tests/cargo-deny

unit: setup ## the tests that need no cluster
	@./tests/step --show "unit tests" cargo test --workspace --exclude safetp-e2e --locked
	@./tests/step --show "fuzzers, briefly" ./tests/fuzz/run 1

e2e: images cluster ## the tests on the real cluster
	@./tests/step "the client" cargo build -p safetp-client --locked
	@./tests/step --show "charts" ./tests/charts
	@RUST_BACKTRACE=0 ./tests/step --show "tests on the cluster" cargo test -p safetp-e2e --locked -- --test-threads=4

images: target/images/.built ## target/images/*.tar, for docker, podman, kind and ctr

target/images/.built: $(RUST_SOURCES) | setup
	@RUSTFLAGS="-C target-feature=+crt-static" ./tests/step "images: static binaries" \
	  cargo build --release --locked --target $(HOST_TARGET) -p safetp-operator -p safetp-sidecar -p safetp-ftpd
	@$(CARGO) run -p safetp-images -- --binaries $(STATIC) --out target/images
	@touch $@

cluster: setup ## a real Kubernetes in network namespaces: target/testbed/kubeconfig
	@$(CARGO) run -p safetp-testbed --bin testbed -- up

cluster-down: ## removes it: no process, mount, namespace or cgroup stays
	@$(CARGO) run -p safetp-testbed --bin testbed -- down

generate: ## writes the CRDs again from their Rust types
	@$(CARGO) run -p safetp-crds --bin crdgen

bench: setup ## SafeTP beside pure-ftpd and vsftpd, about five minutes: docs/performance.md
	@./tests/step "release binaries" cargo build --release --locked -p safetp-sidecar -p safetp-ftpd -p safetp-bench
	@target/release/safetp-bench --page docs/performance.md

fuzz: setup ## every fuzzer for FUZZ_SECONDS (300) each
	@./tests/fuzz/run $(or $(FUZZ_SECONDS),300)

setup: # what building needs and a bare machine lacks
	@./tests/setup
