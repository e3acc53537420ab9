package watch

import "github.com/coredns/caddy"

// Holder stands for a caddy.Instance, which a plugin cannot see.
type Holder struct{ _ byte }

type holderKey struct{}

// HolderOf returns the holder of the instance that a controller belongs to.
func HolderOf(c *caddy.Controller) *Holder {
	if h, ok := c.Get(holderKey{}).(*Holder); ok {
		return h
	}
	h := new(Holder)
	c.Set(holderKey{}, h)
	return h
}

// LiveHolders returns the holders of the instances that run or start.
func LiveHolders() map[*Holder]bool {
	live := map[*Holder]bool{}
	for _, i := range caddy.Instances() {
		i.StorageMu.RLock()
		if h, ok := i.Storage[holderKey{}].(*Holder); ok {
			live[h] = true
		}
		i.StorageMu.RUnlock()
	}
	return live
}
