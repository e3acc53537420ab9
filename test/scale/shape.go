package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
)

// maxServices is how many ClusterIPs fit behind firstClusterIP into the API
// server's range.
const maxServices = 64_000

// Blocks of addresses. None of them overlap, so that an answer tells what it
// comes from.
var (
	firstClusterIP = netip.MustParseAddr("10.96.1.0")
	firstEndpoint  = netip.MustParseAddr("10.128.0.1")
	firstChanged   = netip.MustParseAddr("10.192.0.1")
	firstFresh     = netip.MustParseAddr("10.208.0.1")
)

// shape is the size of a cluster. Each object follows from it and a number, so
// that objects can be made in any order and need not be kept.
type shape struct {
	Seed                                            uint64
	Namespaces, Services, Headless, Endpoints, Pods int
}

func (s shape) check() error {
	switch {
	case s.Namespaces < 1 || s.Services < s.Namespaces || s.Services > maxServices:
		return fmt.Errorf("there must be a namespace, and between one Service for each namespace and %d in all", maxServices)
	case s.Headless < 1 || s.Headless > s.Services:
		return errors.New("at least one Service must be headless: its endpoint is what changes")
	case s.Endpoints < s.Services || s.Endpoints > 1<<20:
		return errors.New("there must be an endpoint or more for each Service, and no more than a million")
	case s.Pods < 0 || s.Pods > s.Endpoints:
		return errors.New("there may not be more Pods than endpoints")
	}
	return nil
}

func (s shape) String() string {
	return fmt.Sprintf("%d namespaces, %d Services (%d headless), %d endpoints, %d Pods",
		s.Namespaces, s.Services, s.Headless, s.Endpoints, s.Pods)
}

// random gives the details of object number i of a kind, always the same.
func (s shape) random(kind string, i int) *rand.Rand {
	stream := uint64(i) << 8
	for _, letter := range []byte(kind) {
		stream = stream*31 + uint64(letter)
	}
	return rand.New(rand.NewPCG(s.Seed, stream))
}

// headless spreads the headless Services evenly over all of them.
func (s shape) headless(service int) bool {
	return service*s.Headless/s.Services != (service+1)*s.Headless/s.Services
}

// headlessServices and virtualServices are up to n Services of their kind,
// spread over the cluster. The first headless one is left out: it changes.
func (s shape) headlessServices(n int) []int { return s.pick(n, true) }

func (s shape) virtualServices(n int) []int { return s.pick(n, false) }

func (s shape) pick(n int, headless bool) []int {
	var all []int
	for i := range s.Services {
		if s.headless(i) == headless && i != s.changing() {
			all = append(all, i)
		}
	}
	n = min(n, len(all))
	picked := make([]int, n)
	for i := range picked {
		picked[i] = all[i*len(all)/n]
	}
	return picked
}

// changing is the Service one of whose endpoints gets other addresses.
func (s shape) changing() int {
	for i := range s.Services {
		if s.headless(i) {
			return i
		}
	}
	return 0
}

// endpoints is the range of numbers that a Service's endpoints have.
func (s shape) endpoints(service int) (from, to int) {
	return service * s.Endpoints / s.Services, (service + 1) * s.Endpoints / s.Services
}

// serviceOf is the Service that an endpoint belongs to.
func (s shape) serviceOf(endpoint int) int { return ((endpoint+1)*s.Services - 1) / s.Endpoints }

func (s shape) namespaceOf(service int) int { return service * s.Namespaces / s.Services }

// addressAt is the address n places behind another one.
func addressAt(first netip.Addr, n int) netip.Addr {
	b := first.As4()
	v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	v += uint32(n)
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}
