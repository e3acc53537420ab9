# Without a target, make prints the list of targets. It needs only Go, make and git; a
# target that needs more installs it.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

BIN      ?= bin/coredns
LEAN_BIN ?= bin/coredns-lean
RACE_BIN ?= bin/coredns-race
KUBECTL_BIN ?= bin/kubectl-clusterdns
KREW     ?= linux/amd64 linux/arm64
FUZZTIME ?= 30s
SOAKTIME ?= 10m
RACE     ?= yes
SEED     ?= 1
COUNT    ?= 0

IMAGE     ?= bin/coredns-image.tar
PLATFORMS ?= linux/amd64 linux/arm64

# A fixed length: git otherwise shortens a commit's name by the size of the clone.
ABBREV  := --abbrev=12
COREDNS := github.com/coredns/coredns
# The next version. A commit with a tag has the version of the tag.
NEXT    := 0.2.0
VERSION ?= $(patsubst v%,%,$(shell git describe --tags --exact-match --match 'v*' --dirty 2>/dev/null || echo $(NEXT)-dev))
COMMIT  ?= $(shell git describe --always --exclude '*' $(ABBREV) --dirty 2>/dev/null)
LDFLAGS  = -s -w -X main.version=$(VERSION) -X $(COREDNS)/coremain.GitCommit=$(COMMIT)

# Build, vet, lint and the command's own tests use one set of flags, because any other
# set would compile the cloud SDKs again. CoreDNS releases with grpcnotrace.
STATIC = CGO_ENABLED=0 GOFLAGS="$(GOFLAGS) -trimpath -buildvcs=false -tags=$(TAGS)"
TAGS  := grpcnotrace

# Results of tests with real servers must not come from the cache.
GOTEST = go test -count=1 -timeout 20m -vet=off

CACHE_DIR        = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/clusterdns
GOLANGCI_VERSION := v2.15.0
GOLANGCI         = $(CACHE_DIR)/golangci-lint-$(GOLANGCI_VERSION)-$(GOVERSION)/golangci-lint
GOVERSION       := $(shell go env GOVERSION)

SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
APT   = $(SUDO) apt-get update -q && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends

.PHONY: help
help: ## Print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: build
build: ## Build the server with every stock plugin: bin/coredns
	$(STATIC) go build -ldflags "$(LDFLAGS)" -o $(BIN) ./cmd/coredns

.PHONY: build-lean
build-lean: TAGS := grpcnotrace,lean
build-lean: ## Build the server without cloud and tracing plugins: bin/coredns-lean
	$(STATIC) go build -ldflags "$(LDFLAGS)" -o $(LEAN_BIN) ./cmd/coredns

.PHONY: kubectl-clusterdns
kubectl-clusterdns: TAGS := grpcnotrace,lean
kubectl-clusterdns: ## Build the commands as a plugin of kubectl: bin/kubectl-clusterdns
	$(STATIC) go build -ldflags "-s -w" -o $(KUBECTL_BIN) ./cmd/kubectl-clusterdns

# The archives are the same for a commit on every machine, but for the version of gzip and tar.
.PHONY: krew
krew: ## Build archives and manifest of the plugin for krew: bin/krew
	rm -rf bin/krew; mkdir -p bin/krew; sed 's/VERSION/v$(VERSION)/' deploy/krew/clusterdns.yaml >bin/krew/clusterdns.yaml; \
	for platform in $(KREW); do \
		name=$${platform/\//-}; dir=bin/krew/$$name; exe=kubectl-clusterdns; \
		GOOS=$${platform%/*} GOARCH=$${platform#*/} $(MAKE) -s kubectl-clusterdns KUBECTL_BIN=$$dir/$$exe; \
		cp LICENSE $$dir; \
		tar -C $$dir --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf - LICENSE $$exe | gzip -9n >bin/krew/kubectl-clusterdns-$$name.tar.gz; \
		sum=$$(sha256sum bin/krew/kubectl-clusterdns-$$name.tar.gz); \
		sed -i "s/SHA256-$$name/$${sum%% *}/" bin/krew/clusterdns.yaml; rm -r $$dir; \
	done

# Every file of the image has the time of the commit, so that a commit has one image.
.PHONY: image
image: ## Build the image of the server for PLATFORMS, an OCI archive: bin/coredns-image.tar
	for platform in $(PLATFORMS); do \
		GOOS=$${platform%/*} GOARCH=$${platform#*/} $(STATIC) \
			go build -ldflags "$(LDFLAGS)" -o bin/$$platform/coredns ./cmd/coredns; \
	done
	go run -C deploy/image . -o $(abspath $(IMAGE)) coredns -version "$(VERSION)" -commit "$(COMMIT)" \
		-created "$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)}" \
		$(foreach platform,$(PLATFORMS),$(platform)=$(abspath bin/$(platform)/coredns))

# Another folder and an empty build cache, so that the second image shares nothing with the first.
.PHONY: image-again
image-again: image ## Build the image of this commit twice and fail if they differ by a byte
	@git diff --quiet HEAD || { echo 'commit your changes first: an image is made from a commit'; exit 1; }
	dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	git clone -q . "$$dir/again"; \
	GOCACHE="$$dir/cache" $(MAKE) -C "$$dir/again" image IMAGE="$$dir/again.tar" PLATFORMS="$(PLATFORMS)"; \
	sha256sum $(IMAGE) "$$dir/again.tar"; \
	cmp $(IMAGE) "$$dir/again.tar"

.PHONY: run
run: build ## Start the server on this machine, on port 1053, with a demo cluster
	@echo
	@echo 'Try these in another terminal (dig is in the Debian package bind9-dnsutils):'
	@echo '  dig @127.0.0.1 -p 1053 web.shop.svc.cluster.local'
	@echo '  dig @127.0.0.1 -p 1053 SRV _http._tcp.web.shop.svc.cluster.local'
	@echo '  dig @127.0.0.1 -p 1053 db-0.db.shop.svc.cluster.local'
	@echo
	@exec $(BIN) -conf Corefile

.PHONY: test
test: build fmt-check vet lint control-plane test-race test-cmd test-image test-deploy test-monitoring differential ## Run every check and test, as CI does

.PHONY: test-race
test-race: compiler secondary nsd resolvers ## Run all other tests of this module with the race detector
	packages=$$(go list ./...); $(GOTEST) -race $$(grep -Ev '/(cmd/coredns|cmd/kubectl-clusterdns|test/differential)$$' <<<"$$packages")

.PHONY: test-cmd
test-cmd: ## Run the tests of the command and of its binary
	$(STATIC) $(GOTEST) ./cmd/coredns ./cmd/kubectl-clusterdns

.PHONY: test-image
test-image: ## Run the tests of the command that makes images (a separate module)
	go test -C deploy/image ./...

.PHONY: test-deploy
test-deploy: ## Run the tests of the manifests in deploy (a separate module)
	cd deploy && $(GOTEST) .

.PHONY: test-monitoring
test-monitoring: ## Run the tests of the dashboard and the alerts (a separate module)
	cd deploy/monitoring && CGO_ENABLED=0 $(GOTEST) .

.PHONY: monitoring
monitoring: ## Write the files in deploy/monitoring that are made from others
	cd deploy/monitoring && go run .

.PHONY: fmt-check
fmt-check: ## Fail if a file is not formatted
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "not formatted:" $$files; exit 1; fi

# The tag lean leaves out a file that has only imports, so that vet need not analyse
# everything that they import.
.PHONY: vet
vet: TAGS := grpcnotrace,lean,e2e,soak
vet: ## Run go vet
	$(STATIC) go vet ./...
	go vet -C deploy/image ./...
	$(STATIC) go vet -C deploy .
	CGO_ENABLED=0 go vet -C deploy/monitoring .

.PHONY: lint
lint: $(GOLANGCI) ## Run golangci-lint
	$(STATIC) $(GOLANGCI) run --allow-serial-runners ./...
	cd deploy && $(STATIC) $(GOLANGCI) run --allow-serial-runners --config $(CURDIR)/.golangci.yml .
	cd deploy/image && $(GOLANGCI) run --allow-serial-runners --config $(CURDIR)/.golangci.yml ./...
	cd deploy/monitoring && CGO_ENABLED=0 $(GOLANGCI) run --allow-serial-runners --config $(CURDIR)/.golangci.yml .

$(GOLANGCI):
	$(STATIC) GOBIN=$(@D) go install -ldflags "-s -w" github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

.PHONY: control-plane
control-plane: ## Build the Kubernetes control plane that the tests start
	$(STATIC) go run ./test/controlplane/build

# As root, with the variables that go needs from this user.
AS_ROOT = $(SUDO) env "PATH=$$PATH" "HOME=$$HOME"

.PHONY: lab-command
lab-command:
	go build -buildvcs=false -o bin/lab ./test/lab/cmd

LAB_FLAGS = $(if $(NODES),-nodes $(NODES)) $(if $(PROXY),-proxy $(PROXY)) $(if $(CNI),-cni $(CNI))

.PHONY: lab
lab: build lab-command ## Start a real cluster of NODES (1) with our server as its DNS, kube-proxy in mode PROXY (nftables) (as root)
	$(AS_ROOT) bin/lab up $(LAB_FLAGS)
	@echo 'Try: bin/lab kubectl get pods -A. To stop it: make lab-down'

.PHONY: lab-down
lab-down: lab-command ## Stop that cluster and remove everything that it made
	$(AS_ROOT) bin/lab down

.PHONY: e2e
e2e: build lab-command kubectl-clusterdns ## Start the cluster, run our scenarios and Kubernetes' own tests in it, and stop it
	go test -c -tags e2e -o bin/e2e.test ./test/e2e
	trap '$(AS_ROOT) $(CURDIR)/bin/lab down' EXIT; \
	cd test/e2e; $(AS_ROOT) ../../bin/e2e.test -test.v -test.timeout 25m -lab ../../bin/lab

# Each lab has a mode of kube-proxy and an order of CNI plugins.
.PHONY: e2e-nodes
e2e-nodes: build lab-command ## Start clusters of two nodes and run the scenarios of DNS on every node in them
	go test -c -tags e2e -o bin/e2e.test ./test/e2e
	trap '$(AS_ROOT) $(CURDIR)/bin/lab down' EXIT; \
	cd test/e2e; \
	for flags in '-proxy nftables -cni bridge,ptp' '-proxy iptables -cni ptp,bridge'; do \
		$(AS_ROOT) ../../bin/e2e.test -test.v -test.run '^TestNode' -test.timeout 15m -lab ../../bin/lab -lab-flags "-nodes 2 $$flags"; \
	done

# The stand-in for NodeLocal DNSCache answers at the address of the Service, which its own
# program does where kube-proxy uses iptables.
.PHONY: e2e-figures
e2e-figures: TAGS := grpcnotrace,lean
e2e-figures: build lab-command dnsperf ## Measure what doc/node.md states of DNS on every node
	go test -c -tags e2e -o bin/e2e.test ./test/e2e
	trap '$(AS_ROOT) $(CURDIR)/bin/lab down' EXIT; \
	cd test/e2e; $(AS_ROOT) ../../bin/e2e.test -test.v -test.run '^TestNodeDNS$$|^TestFigures' -test.timeout 60m \
		-figures -roll-queries 100000 -lab ../../bin/lab -lab-flags '-nodes 2 -proxy iptables'

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (30s)
	@packages=$$(go list ./plugin/... ./test/...); \
	for package in $$packages; do \
		targets=$$(go test -list '^Fuzz' $$package); \
		for target in $$(grep '^Fuzz' <<<"$$targets" || true); do \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

# Without the cloud SDKs, which would have to be compiled again for the race detector.
.PHONY: build-race
build-race: STATIC = CGO_ENABLED=1 GOFLAGS="$(GOFLAGS) -trimpath -buildvcs=false -tags=$(TAGS)"
build-race: TAGS := grpcnotrace,lean
build-race: compiler
	$(STATIC) go build -race -o $(RACE_BIN) ./cmd/coredns

.PHONY: soak
soak: $(if $(filter no,$(RACE)),build-lean,build-race) control-plane ## Run the server under changes, stalls, floods and reloads for SOAKTIME (10m), with the race detector unless RACE=no
	go test -count=1 -vet=off -tags soak -v -timeout 24h ./test/soak -time $(SOAKTIME) \
		-server $(abspath $(if $(filter no,$(RACE)),$(LEAN_BIN),$(RACE_BIN)))

.PHONY: bench
bench: build dnsperf secondary nsd ## Measure our server, stock CoreDNS, Knot and NSD (QUICK=1: five minutes)
	go run ./test/bench -bin $(BIN) $(BENCH)

# Only a complete run updates the page.
BENCH = $(if $(QUICK)$(ONLY)$(SETS)$(PARTS)$(BEFORE),,-page doc/performance.md) $(if $(QUICK),-quick) $(if $(ONLY),-only $(ONLY)) \
	$(if $(BEFORE),-before $(BEFORE)) $(if $(SETS),-sets $(SETS)) $(if $(PARTS),-parts $(PARTS)) $(BENCHFLAGS)

# Without the race detector, which would watch the clients and not the servers, and take
# twice the time.
# BEFORE is the path of an earlier build, for the column of that name.
.PHONY: corefiles
corefiles: ## Write the table of Corefiles in doc/fast-path.md: what the sockets answer under each
	$(GOTEST) ./test/differential -run TestSockets -update $(if $(BEFORE),-before $(BEFORE))

.PHONY: differential
differential: ## Compare answers with stock CoreDNS; SEED selects the cluster, COUNT is the least number of questions
	$(GOTEST) -v -timeout 24h ./test/differential -seed $(SEED) -questions $(COUNT)

.PHONY: bench-search
bench-search: build control-plane ## Measure look-ups of outside names through the search path, ours and stock CoreDNS
	go run ./test/bench -bin $(BIN) -parts search $(if $(QUICK),-quick)

# The race detector is written in C.
.PHONY: compiler
compiler:
	@command -v gcc >/dev/null || { $(APT) gcc libc6-dev; }

# The secondaries in tests of transfers; bench compares with the first. Debian starts servers at installation, so they are
# stopped.
.PHONY: secondary
secondary:
	@PATH=$$PATH:/usr/sbin; command -v knotd >/dev/null || { $(APT) knot; $(SUDO) systemctl disable --now knot 2>/dev/null || true; }
	@{ command -v kdig && command -v dig; } >/dev/null || { $(APT) knot-dnsutils bind9-dnsutils; }
	@PATH=$$PATH:/usr/sbin; command -v named >/dev/null || { $(APT) bind9; $(SUDO) systemctl disable --now named 2>/dev/null || true; }

# The stub resolvers in tests of the search path: those of musl, c-ares, busybox and dig.
.PHONY: resolvers
resolvers: compiler
	@{ command -v musl-gcc && command -v busybox && command -v dig && echo '#include <ares.h>' | gcc -E -x c -; } >/dev/null 2>&1 || \
		{ $(APT) musl-tools libc-ares-dev busybox-static bind9-dnsutils; }

.PHONY: dnsperf
dnsperf:
	@command -v dnsperf >/dev/null || { $(APT) dnsperf; }

.PHONY: nsd
nsd:
	@PATH=$$PATH:/usr/sbin; command -v nsd >/dev/null || { $(APT) nsd; $(SUDO) systemctl disable --now nsd 2>/dev/null || true; }

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin
