package server

import "net"

// Addresses are where a server listens, each "127.0.0.1:port".
type Addresses struct{ DNS, TLSAddress, Health, Ready, Metrics, Profile string }

// freeAddresses are free when it returns. They stay so unless another process
// happens to pick one before the server starts, which then fails.
func freeAddresses() (a Addresses, err error) {
	for _, address := range []*string{&a.DNS, &a.TLSAddress, &a.Health, &a.Ready, &a.Metrics, &a.Profile} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return a, err
		}
		defer listener.Close()
		*address = listener.Addr().String()
	}
	packets, err := net.ListenPacket("udp", a.DNS)
	if err != nil {
		return a, err
	}
	return a, packets.Close()
}
