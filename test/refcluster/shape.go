package refcluster

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
)

// MaxServices is how many ClusterIPs fit into the API server's range after FirstClusterIP.
const MaxServices = 64_000

// Blocks of addresses. They do not overlap, so that an answer shows which kind of object it
// comes from.
var (
	FirstClusterIP = netip.MustParseAddr("10.96.1.0")
	FirstEndpoint  = netip.MustParseAddr("10.128.0.1")
	FirstChanged   = netip.MustParseAddr("10.192.0.1")
	FirstFresh     = netip.MustParseAddr("10.208.0.1")
)

// Shape is the size of a cluster. Each object is derived from it and a number, so that
// objects can be made in any order and need not be stored. Objects of a kind are numbered
// from 0.
type Shape struct {
	Seed                                            uint64
	Namespaces, Services, Headless, Endpoints, Pods int

	// Largest is the number of endpoints of the last Service, which is always headless. The
	// others share the rest evenly.
	Largest int
}

// Reference is the cluster for figures that are compared over time.
var Reference = Shape{
	Seed: 1, Namespaces: 100, Services: 10_000, Headless: 1000, Endpoints: 100_000, Pods: 50_000, Largest: 1000,
}

// Check returns an error if there is no such cluster.
func (s Shape) Check() error {
	switch {
	case s.Namespaces < 1 || s.Services < s.Namespaces || s.Services > MaxServices:
		return fmt.Errorf("there must be a namespace, and between one Service for each namespace and %d in all", MaxServices)
	case s.Headless < 1 || s.Headless > s.Services:
		return errors.New("at least one Service must be headless: its endpoint is what changes")
	case s.Services < 2 || s.Largest < 1 || s.Largest > s.Endpoints:
		return errors.New("there must be two Services, and the largest has an endpoint at least and all at most")
	case s.Endpoints-s.Largest < s.Services-1 || s.Endpoints > 1<<20:
		return errors.New("there must be an endpoint or more for each Service, and no more than a million")
	case s.Pods < 0 || s.Pods > s.Endpoints:
		return errors.New("there may not be more Pods than endpoints")
	}
	return nil
}

func (s Shape) String() string {
	return fmt.Sprintf("%d namespaces, %d Services (%d headless, one of them with %d endpoints), %d endpoints, %d Pods",
		s.Namespaces, s.Services, s.Headless, s.Largest, s.Endpoints, s.Pods)
}

// random returns the source of details of object number i of a kind, always the same.
func (s Shape) random(kind string, i int) *rand.Rand {
	stream := uint64(i) << 8
	for _, letter := range []byte(kind) {
		stream = stream*31 + uint64(letter)
	}
	return rand.New(rand.NewPCG(s.Seed, stream))
}

// IsHeadless reports whether a Service is headless. It spreads headless Services evenly.
func (s Shape) IsHeadless(service int) bool {
	return service*s.Headless/s.Services != (service+1)*s.Headless/s.Services
}

// HeadlessServices returns up to n headless Services, spread over the cluster. The
// first one is left out: it changes.
func (s Shape) HeadlessServices(n int) []int { return s.pick(n, true) }

// VirtualServices returns up to n Services with a ClusterIP, spread over the cluster.
func (s Shape) VirtualServices(n int) []int { return s.pick(n, false) }

func (s Shape) pick(n int, headless bool) []int {
	var all []int
	for i := range s.Services {
		if s.IsHeadless(i) == headless && i != s.Changing() {
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

// Changing returns the Service with the endpoint whose address changes.
func (s Shape) Changing() int {
	for i := range s.Services {
		if s.IsHeadless(i) {
			return i
		}
	}
	return 0
}

// EndpointRange returns the range of numbers that a Service's endpoints have.
func (s Shape) EndpointRange(service int) (from, to int) {
	others := s.Services - 1
	if service == others {
		return s.small(), s.Endpoints
	}
	return service * s.small() / others, (service + 1) * s.small() / others
}

// small returns the number of endpoints of all Services but the largest.
func (s Shape) small() int { return s.Endpoints - s.Largest }

// ServiceOf returns the Service that an endpoint belongs to.
func (s Shape) ServiceOf(endpoint int) int {
	if endpoint >= s.small() {
		return s.Services - 1
	}
	return ((endpoint+1)*(s.Services-1) - 1) / s.small()
}

func (s Shape) namespaceOf(service int) int { return service * s.Namespaces / s.Services }

// AddressAt returns the n-th address after another one.
func AddressAt(first netip.Addr, n int) netip.Addr {
	b := first.As4()
	v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	v += uint32(n)
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}
