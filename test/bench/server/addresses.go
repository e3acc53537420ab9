package server

import "github.com/clusterdns/clusterdns/test/kit/freeport"

// Addresses are the addresses that a server listens on, each like "127.0.0.1:53".
type Addresses struct{ DNS, TLSAddress, HTTPSAddress, Health, Ready, Metrics, Profile string }

func freeAddresses() (Addresses, error) {
	free, err := freeport.Addrs(7)
	if err != nil {
		return Addresses{}, err
	}
	return Addresses{free[0], free[1], free[2], free[3], free[4], free[5], free[6]}, nil
}
