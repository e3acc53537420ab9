package corefile

import "github.com/coredns/caddy"

type looksKey struct{}

// AtStart makes CoreDNS call look when the server block starts: only then has all of the Corefile
// been read, and are the plugins known by their names. look must not listen or connect, because it
// is called for a Corefile that is only checked too.
func AtStart(c *caddy.Controller, look func() error) {
	c.OnStartup(look)
	looks, _ := c.Get(looksKey{}).([]func() error)
	c.Set(looksKey{}, append(looks, look))
}

// LookAround calls what the plugins of an instance have given to AtStart, up to the first error.
func LookAround(i *caddy.Instance) error {
	i.StorageMu.RLock()
	looks, _ := i.Storage[looksKey{}].([]func() error)
	i.StorageMu.RUnlock()
	for _, look := range looks {
		if err := look(); err != nil {
			return err
		}
	}
	return nil
}
